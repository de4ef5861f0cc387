#include "server/overlap/overlap_runner.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/base/log.h"
#include "server/base/status_macros.h"
#include "server/overlap/verify_share.h"
#include "server/tensor/rows.h"

namespace stillwave::overlap {
namespace {

using tensor::MutableTensorView;
using tensor::Shape;
using tensor::Tensor;
using tensor::TensorView;

// A ticket's numbers.
constexpr size_t kSeries = 0;
constexpr size_t kFirstSample = 1;
constexpr size_t kHop = 2;
constexpr size_t kTicketNumbers = 3;

// What two answers differ by, in parts of the largest value; infinite when one is no number.
float Difference(absl::Span<const float> got, absl::Span<const float> want) {
  float largest = 0;
  float difference = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    if (std::isnan(got[i]) != std::isnan(want[i])) return std::numeric_limits<float>::infinity();
    if (std::isnan(want[i])) continue;
    largest = std::max(largest, std::abs(want[i]));
    if (got[i] == want[i]) continue;
    difference = std::max(difference, std::abs(got[i] - want[i]));
  }
  return difference == 0 ? 0 : difference / largest;
}

}  // namespace

// One row of a batch.
struct OverlapRunner::Window {
  TensorView samples;                      // {1, …, L}
  std::vector<MutableTensorView> outputs;  // {1, …}
  int64_t number = 0;
  int64_t first_sample = 0;
  SeriesTable::Taken taken;

  // The kept window is the one just before this.
  bool follows() const {
    return taken.kept != nullptr && !taken.kept->empty &&
           taken.kept->first_sample + taken.reuse->plan().hop == first_sample;
  }
  WindowRow row() const { return {static_cast<const float*>(samples.data), taken.kept.get(), outputs}; }
};

Tensor SeriesReuse::Ticket(int64_t first_sample) const {
  return Tensor::FromValues<int64_t>({1, kTicketNumbers}, {number_, first_sample, reuse_->plan().hop});
}

OverlapRunner::OverlapRunner(std::shared_ptr<const model::LoadedModel> model, const metrics::ModelMetrics* metrics,
                             const Options& options)
    : model_(std::move(model)),
      metrics_(metrics),
      options_(options),
      table_(std::make_shared<SeriesTable>(options.max_kept_bytes)) {
  SW_CHECK(options.max_pairs > 0);
}

absl::StatusOr<std::unique_ptr<SeriesReuse>> OverlapRunner::Open(const Shape& window, int64_t hop) const {
  ASSIGN_OR_RETURN(const ReusePtr reuse, FindPair(window, hop));
  if (!reuse->trusted()) {
    return absl::FailedPreconditionError("windows that reused something were not what the model makes of them");
  }
  ASSIGN_OR_RETURN(const int64_t number, table_->Open(reuse));
  return std::make_unique<SeriesReuse>(table_, number, reuse);
}

absl::StatusOr<OverlapRunner::ReusePtr> OverlapRunner::FindPair(const Shape& window, int64_t hop) const {
  if (!options_.reuse) {
    return absl::FailedPreconditionError("the model's configuration turns reuse off (stream_reuse)");
  }
  if (model_->options().precision != model::Precision::kFp32) {
    return absl::FailedPreconditionError(
        absl::StrCat("precision must be fp32; is ", Name(model_->options().precision)));
  }
  {
    const absl::MutexLock lock(&mutex_);
    if (const auto found = pairs_.find(PairKey{window, hop}); found != pairs_.end()) return found->second;
  }
  absl::StatusOr<ReusePlan> plan = PlanReuse(model_->network(), window, hop, options_.limits);
  absl::StatusOr<ReusePtr> reuse = ReusePtr();
  if (plan.ok()) {
    reuse = std::make_shared<const WindowReuse>(model_, *std::move(plan));
  } else {
    reuse = plan.status();
  }
  const absl::MutexLock lock(&mutex_);
  if (pairs_.size() >= options_.max_pairs) DropUnusedPairs();
  if (pairs_.size() >= options_.max_pairs) {
    return absl::FailedPreconditionError(absl::StrCat("pairs of window length and hop that are in use must be at most ",
                                                      options_.max_pairs, "; so many are"));
  }
  return pairs_.emplace(PairKey{window, hop}, std::move(reuse)).first->second;
}

void OverlapRunner::DropUnusedPairs() const {
  absl::erase_if(pairs_, [](const auto& pair) { return !pair.second.ok() || pair.second->use_count() == 1; });
}

absl::StatusOr<std::vector<Shape>> OverlapRunner::OutputShapes(absl::Span<const Shape> input_shapes) const {
  const bool has_tickets = input_shapes.size() > model_->signature().inputs.size();
  return model_->OutputShapes(has_tickets ? input_shapes.first(input_shapes.size() - 1) : input_shapes);
}

double OverlapRunner::NewPart(absl::Span<const TensorView> inputs, int64_t row) const {
  if (inputs.size() == model_->signature().inputs.size()) return 1;
  const int64_t hop = inputs[1].values<int64_t>()[kTicketNumbers * static_cast<size_t>(row) + kHop];
  const Shape& window = inputs[0].shape;
  return std::min(static_cast<double>(hop) / static_cast<double>(window[window.rank() - 1]), 1.0);
}

absl::Status OverlapRunner::Run(execution::ExecutionContext& context, absl::Span<const TensorView> inputs,
                                absl::Span<const MutableTensorView> outputs) const {
  if (inputs.size() == model_->signature().inputs.size()) return model_->Run(context, inputs, outputs);
  SW_CHECK(inputs.size() == 2 && inputs[1].shape == Shape({inputs[0].shape[0], kTicketNumbers}));
  const auto tickets = inputs[1].values<int64_t>();
  std::vector<Window> windows(static_cast<size_t>(inputs[0].shape[0]));
  for (size_t r = 0; r < windows.size(); ++r) {
    Window& window = windows[r];
    const auto row = static_cast<int64_t>(r);
    window.samples = tensor::Rows(inputs[0], row, 1);
    for (const MutableTensorView& output : outputs) window.outputs.push_back(tensor::Rows(output, row, 1));
    window.number = tickets[kTicketNumbers * r + kSeries];
    window.first_sample = tickets[kTicketNumbers * r + kFirstSample];
    window.taken = table_->Take(window.number);
  }
  const absl::Status status = RunWindows(context, absl::MakeSpan(windows));
  for (Window& window : windows) {
    if (window.taken.kept == nullptr) continue;
    window.taken.kept->empty = !status.ok();
    window.taken.kept->first_sample = window.first_sample;
    table_->GiveBack(window.number, std::move(window.taken.kept));
  }
  return status;
}

absl::Status OverlapRunner::RunWindows(execution::ExecutionContext& context, absl::Span<Window> windows) const {
  std::vector<Window*> following;
  for (Window& window : windows) {
    if (window.taken.kept == nullptr || !window.taken.reuse->trusted()) {
      RETURN_IF_ERROR(RunInFull(context, window));
      Count(window.samples.shape[window.samples.shape.rank() - 1], 0);
    } else if (window.follows()) {
      following.push_back(&window);
    } else {
      RETURN_IF_ERROR(RunFirst(context, window));
    }
  }
  // Series of one pair run together.
  std::sort(following.begin(), following.end(), [](const Window* a, const Window* b) {
    return std::pair(a->taken.reuse.get(), a->number) < std::pair(b->taken.reuse.get(), b->number);
  });
  for (size_t begin = 0; begin < following.size();) {
    size_t end = begin + 1;
    while (end < following.size() && following[end]->taken.reuse == following[begin]->taken.reuse) ++end;
    RETURN_IF_ERROR(RunNext(context, absl::MakeSpan(following).subspan(begin, end - begin)));
    begin = end;
  }
  return absl::OkStatus();
}

absl::Status OverlapRunner::RunFirst(execution::ExecutionContext& context, Window& window) const {
  RETURN_IF_ERROR(window.taken.reuse->RunFirst(context, window.row()));
  Count(window.taken.reuse->plan().split.window_samples(), 0);
  return absl::OkStatus();
}

absl::Status OverlapRunner::RunNext(execution::ExecutionContext& context, absl::Span<Window* const> windows) const {
  const WindowReuse& reuse = *windows[0]->taken.reuse;
  std::vector<WindowRow> rows;
  for (const Window* window : windows) rows.push_back(window->row());
  RETURN_IF_ERROR(reuse.RunNext(context, absl::MakeSpan(rows)));
  for (const Window* window : windows) {
    Count(reuse.plan().computed_samples(), reuse.plan().reused_samples());
    const int64_t number = reuse.CountReuse();
    if (IsVerified(number, options_.verify_share)) RETURN_IF_ERROR(Verify(context, *window));
  }
  return absl::OkStatus();
}

absl::Status OverlapRunner::RunInFull(execution::ExecutionContext& context, const Window& window) const {
  return model_->Run(context, {window.samples}, window.outputs);
}

absl::Status OverlapRunner::Verify(execution::ExecutionContext& context, const Window& window) const {
  std::vector<Tensor> reused;
  float difference = 0;
  for (const MutableTensorView& output : window.outputs) {
    reused.push_back(Tensor::FromValues<float>(output.shape, output.values<float>()));
  }
  // What leaves is the model's own answer, whatever comes of the comparison.
  RETURN_IF_ERROR(RunInFull(context, window));
  for (size_t j = 0; j < reused.size(); ++j) {
    difference =
        std::max(difference, Difference(reused[j].values<float>(), TensorView(window.outputs[j]).values<float>()));
  }
  if (difference <= options_.verify_tolerance) return absl::OkStatus();
  metrics_->stream_verify_mismatches->Increment();
  window.taken.reuse->Distrust();
  base::Log(base::LogLevel::kError,
            "a window that reused its overlap differs from the full one; full windows from now on",
            {{"window_length", window.taken.reuse->plan().split.window_samples()},
             {"hop", window.taken.reuse->plan().hop},
             {"difference_of_largest_output", difference},
             {"tolerance", options_.verify_tolerance}});
  return absl::OkStatus();
}

void OverlapRunner::Count(int64_t computed, int64_t reused) const {
  metrics_->stream_computed_samples->Increment(static_cast<double>(computed));
  if (reused > 0) metrics_->stream_reused_samples->Increment(static_cast<double>(reused));
}

}  // namespace stillwave::overlap
