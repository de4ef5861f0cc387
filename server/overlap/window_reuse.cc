#include "server/overlap/window_reuse.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "server/base/check.h"
#include "server/base/power_of_two.h"
#include "server/base/status_macros.h"

namespace stillwave::overlap {
namespace {

using tensor::Shape;
using tensor::Tensor;

size_t FloatBytes(int64_t floats) { return static_cast<size_t>(floats) * sizeof(float); }

}  // namespace

WindowReuse::WindowReuse(std::shared_ptr<const model::LoadedModel> model, ReusePlan plan)
    : model_(std::move(model)), plan_(std::move(plan)) {}

absl::StatusOr<WindowReuse::PlanPtr> WindowReuse::PrefixPlan(int64_t rows, int64_t samples) const {
  const absl::MutexLock lock(&mutex_);
  PlanPtr& plan = prefix_plans_[{rows, samples}];
  if (plan == nullptr) {
    ASSIGN_OR_RETURN(plan, model_->CompilePart(plan_.split.prefix, {plan_.split.InputShape(rows, samples)}));
  }
  return plan;
}

absl::StatusOr<WindowReuse::PlanPtr> WindowReuse::TailPlan() const {
  const absl::MutexLock lock(&mutex_);
  if (tail_plan_ == nullptr) {
    std::vector<Shape> shapes;
    for (const graph::ValueId id : plan_.split.tail.inputs()) shapes.push_back(plan_.split.tail.value(id).shape);
    ASSIGN_OR_RETURN(tail_plan_, model_->CompilePart(plan_.split.tail, shapes));
  }
  return tail_plan_;
}

absl::Status WindowReuse::RunTail(execution::ExecutionContext& context, const WindowRow& row) const {
  ASSIGN_OR_RETURN(const PlanPtr plan, TailPlan());
  std::vector<const void*> inputs;
  for (Tape& tape : row.kept->tapes) inputs.push_back(tape.window());
  std::vector<void*> outputs = row.outputs;
  return plan->Run(context, inputs, absl::MakeSpan(outputs));
}

absl::Status WindowReuse::RunFirst(execution::ExecutionContext& context, const WindowRow& row) const {
  ASSIGN_OR_RETURN(const PlanPtr plan, PrefixPlan(1, plan_.split.window_samples()));
  std::vector<void*> cut;
  for (Tape& tape : row.kept->tapes) cut.push_back(tape.window());
  const void* const input = row.samples;
  RETURN_IF_ERROR(plan->Run(context, {input}, absl::MakeSpan(cut)));
  return RunTail(context, row);
}

absl::StatusOr<std::vector<Tensor>> WindowReuse::RunStrips(execution::ExecutionContext& context,
                                                           absl::Span<WindowRow> rows, int64_t begin,
                                                           int64_t samples) const {
  ASSIGN_OR_RETURN(const PlanPtr plan, PrefixPlan(static_cast<int64_t>(rows.size()), samples));
  ASSIGN_OR_RETURN(Tensor input, Tensor::Create(tensor::DataType::kFloat32, plan->input_shapes()[0]));
  const int64_t length = plan_.split.window_samples();
  const int64_t channels = input.num_elements() / (samples * static_cast<int64_t>(rows.size()));
  float* to = input.mutable_values<float>().data();
  for (const WindowRow& row : rows) {
    for (int64_t channel = 0; channel < channels; ++channel, to += samples) {
      std::memcpy(to, row.samples + channel * length + begin, FloatBytes(samples));
    }
  }
  std::vector<Tensor> cut;
  std::vector<void*> targets;
  for (const Shape& shape : plan->output_shapes()) {
    ASSIGN_OR_RETURN(Tensor value, Tensor::Create(tensor::DataType::kFloat32, shape));
    targets.push_back(value.mutable_data());
    cut.push_back(std::move(value));
  }
  const void* const source = input.data();
  RETURN_IF_ERROR(plan->Run(context, {source}, absl::MakeSpan(targets)));
  return cut;
}

absl::Status WindowReuse::RunNext(execution::ExecutionContext& context, absl::Span<WindowRow> rows) const {
  while (!rows.empty()) {
    const auto chunk =
        static_cast<size_t>(base::LargestPowerOfTwo(std::min(static_cast<int64_t>(rows.size()), model_->max_chunk())));
    RETURN_IF_ERROR(RunTogether(context, rows.subspan(0, chunk)));
    rows.remove_prefix(chunk);
  }
  return absl::OkStatus();
}

absl::Status WindowReuse::RunTogether(execution::ExecutionContext& context, absl::Span<WindowRow> rows) const {
  std::vector<Tensor> left;
  if (plan_.left_samples > 0) {
    ASSIGN_OR_RETURN(left, RunStrips(context, rows, 0, plan_.left_samples));
  }
  ASSIGN_OR_RETURN(const std::vector<Tensor> right,
                   RunStrips(context, rows, plan_.split.window_samples() - plan_.right_samples, plan_.right_samples));
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t i = 0; i < plan_.cuts.size(); ++i) {
      const CutStrips& strips = plan_.cuts[i];
      Tape& tape = rows[r].kept->tapes[i];
      tape.Advance();
      const int64_t step = strips.step_elements;
      const float* const from = right[i].values<float>().data() + static_cast<int64_t>(r) * strips.right_strip * step;
      std::memcpy(tape.window() + (strips.positions - strips.right) * step,
                  from + (strips.right_strip - strips.right) * step, FloatBytes(strips.right * step));
      if (strips.left == 0) continue;
      std::memcpy(tape.window(), left[i].values<float>().data() + static_cast<int64_t>(r) * strips.left_strip * step,
                  FloatBytes(strips.left * step));
    }
    RETURN_IF_ERROR(RunTail(context, rows[r]));
  }
  return absl::OkStatus();
}

}  // namespace stillwave::overlap
