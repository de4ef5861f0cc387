#include "server/overlap/overlap_runner.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <tuple>

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
};

// The rows of one series.
struct OverlapRunner::SeriesWindows {
  absl::Span<const Window> windows;
  SeriesTable::Taken taken;

  int64_t hop() const { return taken.reuse->plan().hop; }
  bool keeps() const { return taken.kept != nullptr && taken.reuse->trusted(); }
  // The kept window is the one just before this.
  bool Follows(const Window& window) const {
    return !taken.kept->empty && taken.kept->first_sample + hop() == window.first_sample;
  }
};

// A window that follows what is kept, or others of its series that do.
struct OverlapRunner::NextWindow {
  const SeriesWindows* series = nullptr;
  const Window* window = nullptr;
  size_t place = 0;  // how many of its series go before it

  WindowRow row() const {
    return {static_cast<const float*>(window->samples.data), series->taken.kept.get(), place, window->outputs};
  }
};

Tensor SeriesReuse::Tickets(int64_t first_sample, int64_t windows) const {
  const int64_t hop = reuse_->plan().hop;
  std::vector<int64_t> numbers;
  for (int64_t i = 0; i < windows; ++i) {
    numbers.insert(numbers.end(), {number_, first_sample + i * hop, hop});
  }
  return Tensor::FromValues<int64_t>({windows, kTicketNumbers}, numbers);
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

bool OverlapRunner::MayDivide(absl::Span<const TensorView> inputs) const {
  if (inputs.size() == model_->signature().inputs.size()) return true;
  const auto tickets = inputs[1].values<int64_t>();
  for (size_t i = kTicketNumbers; i < tickets.size(); i += kTicketNumbers) {
    if (tickets[i + kSeries] == tickets[i - kTicketNumbers + kSeries]) return false;
  }
  return true;
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
  }
  std::vector<SeriesWindows> series;
  for (size_t begin = 0, end = 0; begin < windows.size(); begin = end) {
    while (end < windows.size() && windows[end].number == windows[begin].number) ++end;
    series.push_back({absl::MakeConstSpan(windows).subspan(begin, end - begin), table_->Take(windows[begin].number)});
  }
  const absl::Status status = RunSeries(context, absl::MakeSpan(series));
  for (SeriesWindows& one : series) {
    if (one.taken.kept == nullptr) continue;
    if (!status.ok()) one.taken.kept->empty = true;
    table_->GiveBack(one.windows[0].number, std::move(one.taken.kept));
  }
  return status;
}

absl::Status OverlapRunner::RunSeries(execution::ExecutionContext& context, absl::Span<SeriesWindows> series) const {
  std::vector<NextWindow> next;
  for (SeriesWindows& one : series) RETURN_IF_ERROR(RunUnlessNext(context, one, next));
  // Series of one pair run together, of each the first windows before the second ones.
  std::sort(next.begin(), next.end(), [](const NextWindow& a, const NextWindow& b) {
    return std::tuple(a.series->taken.reuse.get(), a.place, a.window->number) <
           std::tuple(b.series->taken.reuse.get(), b.place, b.window->number);
  });
  for (size_t begin = 0, end = 0; begin < next.size(); begin = end) {
    while (end < next.size() && next[end].series->taken.reuse == next[begin].series->taken.reuse) ++end;
    RETURN_IF_ERROR(RunNext(context, absl::MakeConstSpan(next).subspan(begin, end - begin)));
  }
  return absl::OkStatus();
}

absl::Status OverlapRunner::RunUnlessNext(execution::ExecutionContext& context, SeriesWindows& series,
                                          std::vector<NextWindow>& next) const {
  absl::Span<const Window> windows = series.windows;
  if (series.keeps()) {
    KeptWindow& kept = *series.taken.kept;
    if (!series.Follows(windows[0])) {
      const WindowRow first = NextWindow{&series, &windows[0]}.row();
      RETURN_IF_ERROR(series.taken.reuse->RunFirst(context, first));
      Count(series.taken.reuse->plan().split.window_samples(), 0);
      kept.empty = false;
      kept.first_sample = windows[0].first_sample;
      windows.remove_prefix(1);
    }
    // They are on their way: what is kept will be of the last of them.
    for (size_t place = 0; !windows.empty() && series.Follows(windows[0]); ++place) {
      next.push_back({&series, &windows[0], place});
      kept.first_sample = windows[0].first_sample;
      windows.remove_prefix(1);
    }
  }
  for (const Window& window : windows) {
    RETURN_IF_ERROR(RunInFull(context, window));
    Count(window.samples.shape[window.samples.shape.rank() - 1], 0);
  }
  return absl::OkStatus();
}

absl::Status OverlapRunner::RunNext(execution::ExecutionContext& context, absl::Span<const NextWindow> windows) const {
  const WindowReuse& reuse = *windows[0].series->taken.reuse;
  std::vector<WindowRow> rows;
  for (const NextWindow& next : windows) rows.push_back(next.row());
  RETURN_IF_ERROR(reuse.RunNext(context, absl::MakeSpan(rows)));
  for (const NextWindow& next : windows) {
    if (IsVerified(reuse.CountReuse(), options_.verify_share)) RETURN_IF_ERROR(Verify(context, next));
    if (!reuse.trusted()) break;
  }
  for (const NextWindow& next : windows) {
    if (reuse.trusted()) {
      Count(reuse.plan().computed_samples(), reuse.plan().reused_samples());
    } else {
      // Those that were computed with it are not to be trusted either.
      RETURN_IF_ERROR(RunInFull(context, *next.window));
      Count(reuse.plan().split.window_samples(), 0);
    }
  }
  return absl::OkStatus();
}

absl::Status OverlapRunner::RunInFull(execution::ExecutionContext& context, const Window& window) const {
  return model_->Run(context, {window.samples}, window.outputs);
}

absl::Status OverlapRunner::Verify(execution::ExecutionContext& context, const NextWindow& next) const {
  const Window& window = *next.window;
  const WindowReuse& reuse = *next.series->taken.reuse;
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
  reuse.Distrust();
  base::Log(base::LogLevel::kError,
            "a window that reused its overlap differs from the full one; full windows from now on",
            {{"window_length", reuse.plan().split.window_samples()},
             {"hop", reuse.plan().hop},
             {"difference_of_largest_output", difference},
             {"tolerance", options_.verify_tolerance}});
  return absl::OkStatus();
}

void OverlapRunner::Count(int64_t computed, int64_t reused) const {
  metrics_->stream_computed_samples->Increment(static_cast<double>(computed));
  if (reused > 0) metrics_->stream_reused_samples->Increment(static_cast<double>(reused));
}

}  // namespace stillwave::overlap
