#include "server/overlap/window_reuse.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "server/base/power_of_two.h"
#include "server/base/status_macros.h"
#include "server/tensor/rows.h"

namespace stillwave::overlap {
namespace {

using tensor::DataType;
using tensor::Shape;
using tensor::Tensor;

void CopyFloats(const float* from, int64_t count, float* to) {
  std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float));
}

// How many of the rows have the place of the first one.
size_t RowsOfPlace(absl::Span<const WindowRow> rows) {
  size_t count = 1;
  while (count < rows.size() && rows[count].place == rows[0].place) ++count;
  return count;
}

void Advance(absl::Span<WindowRow> rows) {
  for (const WindowRow& row : rows) {
    for (Tape& tape : row.kept->tapes) tape.Advance();
  }
}

}  // namespace

WindowReuse::WindowReuse(std::shared_ptr<const model::LoadedModel> model, ReusePlan plan)
    : model_(std::move(model)), plan_(std::move(plan)) {}

absl::StatusOr<WindowReuse::PlanPtr> WindowReuse::PlanOf(size_t part, int64_t rows, int64_t samples) const {
  return plans_.Get({part, rows, samples}, [&] { return CompilePart(part, rows, samples); });
}

absl::StatusOr<WindowReuse::PlanPtr> WindowReuse::CompilePart(size_t part, int64_t rows, int64_t samples) const {
  const bool is_tail = part > plan_.stages.size();
  const Stage& stage = part < plan_.stages.size() ? plan_.stages[part] : plan_.first;
  ASSIGN_OR_RETURN(const graph::Graph graph,
                   is_tail ? MakeTail(plan_.split, rows) : MakeStageGraph(plan_.split, stage, rows, samples));
  std::vector<Shape> shapes;
  for (const graph::ValueId id : graph.inputs()) shapes.push_back(graph.value(id).shape);
  return model_->CompilePart(graph, shapes);
}

absl::Status WindowReuse::RunFirst(execution::ExecutionContext& context, const WindowRow& row) const {
  const int64_t length = plan_.split.window_samples();
  ASSIGN_OR_RETURN(const PlanPtr plan, PlanOf(plan_.stages.size(), 1, length));
  ASSIGN_OR_RETURN(Computed whole, AllocateFor(*plan));
  const void* const input = row.samples;
  RETURN_IF_ERROR(plan->Run(context, {input}, absl::MakeSpan(whole.targets)));
  for (size_t i = 0; i < plan_.kept.size(); ++i) {
    const KeptValue& kept = plan_.kept[i];
    const int64_t floats = kept.positions * kept.step_elements;
    const auto values = whole.values[i].values<float>();
    CopyFloats(values.data() + (static_cast<int64_t>(values.size()) - floats), floats, row.kept->tapes[i].window());
  }
  return RunTail(context, row);
}

absl::StatusOr<WindowReuse::Computed> WindowReuse::AllocateFor(const execution::ExecutionPlan& plan) {
  Computed computed;
  for (const Shape& shape : plan.output_shapes()) {
    ASSIGN_OR_RETURN(Tensor value, Tensor::Create(DataType::kFloat32, shape));
    computed.targets.push_back(value.mutable_data());
    computed.values.push_back(std::move(value));
  }
  return computed;
}

absl::Status WindowReuse::RunNext(execution::ExecutionContext& context, absl::Span<WindowRow> rows) const {
  const bool at_once = plan_.stages.size() == 1;
  while (!rows.empty()) {
    const size_t most = at_once ? rows.size() : RowsOfPlace(rows);
    const auto chunk =
        static_cast<size_t>(base::LargestPowerOfTwo(std::min(static_cast<int64_t>(most), model_->max_chunk())));
    const absl::Span<WindowRow> some = rows.subspan(0, chunk);
    RETURN_IF_ERROR(at_once ? RunAtOnce(context, some) : RunInTurn(context, some));
    rows.remove_prefix(chunk);
  }
  return absl::OkStatus();
}

absl::Status WindowReuse::RunInTurn(execution::ExecutionContext& context, absl::Span<WindowRow> rows) const {
  Advance(rows);
  for (size_t s = 0; s < plan_.stages.size(); ++s) {
    for (const End end : {End::kRight, End::kLeft}) {
      if (SamplesAt(s, end) == 0) continue;
      ASSIGN_OR_RETURN(const Computed strips, RunStrips(context, rows, s, end));
      KeepStrips(strips, 0, rows, s, end);
    }
  }
  return RunTails(context, rows);
}

absl::Status WindowReuse::RunAtOnce(execution::ExecutionContext& context, absl::Span<WindowRow> rows) const {
  ASSIGN_OR_RETURN(const Computed right, RunStrips(context, rows, 0, End::kRight));
  Computed left;
  if (SamplesAt(0, End::kLeft) > 0) {
    ASSIGN_OR_RETURN(left, RunStrips(context, rows, 0, End::kLeft));
  }
  for (size_t begin = 0; begin < rows.size();) {
    const auto count =
        static_cast<size_t>(base::LargestPowerOfTwo(static_cast<int64_t>(RowsOfPlace(rows.subspan(begin)))));
    const absl::Span<WindowRow> some = rows.subspan(begin, count);
    Advance(some);
    KeepStrips(right, begin, some, 0, End::kRight);
    if (!left.values.empty()) KeepStrips(left, begin, some, 0, End::kLeft);
    RETURN_IF_ERROR(RunTails(context, some));
    begin += count;
  }
  return absl::OkStatus();
}

absl::StatusOr<Tensor> WindowReuse::GatherSamples(absl::Span<WindowRow> rows, int64_t samples, End end) const {
  const int64_t length = plan_.split.window_samples();
  ASSIGN_OR_RETURN(Tensor gathered, Tensor::Create(DataType::kFloat32,
                                                   plan_.split.InputShape(static_cast<int64_t>(rows.size()), samples)));
  const int64_t begin = end == End::kLeft ? 0 : length - samples;
  const int64_t channels = plan_.split.window.num_elements() / length;
  float* to = gathered.mutable_values<float>().data();
  for (const WindowRow& row : rows) {
    for (int64_t channel = 0; channel < channels; ++channel, to += samples) {
      CopyFloats(row.samples + channel * length + begin, samples, to);
    }
  }
  return gathered;
}

absl::StatusOr<Tensor> WindowReuse::GatherKept(absl::Span<WindowRow> rows, size_t kept, int64_t positions,
                                               End end) const {
  const KeptValue& value = plan_.kept[kept];
  const int64_t floats = positions * value.step_elements;
  ASSIGN_OR_RETURN(Tensor gathered, Tensor::Create(DataType::kFloat32, {static_cast<int64_t>(rows.size()), floats}));
  const int64_t begin = end == End::kLeft ? 0 : (value.positions - positions) * value.step_elements;
  float* to = gathered.mutable_values<float>().data();
  for (const WindowRow& row : rows) {
    CopyFloats(row.kept->tapes[kept].window() + begin, floats, to);
    to += floats;
  }
  return gathered;
}

absl::StatusOr<WindowReuse::Computed> WindowReuse::RunStrips(execution::ExecutionContext& context,
                                                             absl::Span<WindowRow> rows, size_t stage, End end) const {
  const Stage& what = plan_.stages[stage];
  const int64_t samples = SamplesAt(stage, end);
  ASSIGN_OR_RETURN(const PlanPtr plan, PlanOf(stage, static_cast<int64_t>(rows.size()), samples));
  std::vector<Tensor> gathered;
  if (what.reads_samples) {
    ASSIGN_OR_RETURN(Tensor strips, GatherSamples(rows, samples, end));
    gathered.push_back(std::move(strips));
  }
  for (const graph::ValueId id : what.reads) {
    const size_t kept = plan_.IndexOf(id);
    ASSIGN_OR_RETURN(Tensor strips, GatherKept(rows, kept, plan_.PositionsIn(plan_.kept[kept], samples), end));
    gathered.push_back(std::move(strips));
  }
  std::vector<const void*> inputs;
  for (const Tensor& strips : gathered) inputs.push_back(strips.data());
  ASSIGN_OR_RETURN(Computed computed, AllocateFor(*plan));
  RETURN_IF_ERROR(plan->Run(context, inputs, absl::MakeSpan(computed.targets)));
  return computed;
}

void WindowReuse::KeepStrips(const Computed& computed, size_t first_row, absl::Span<WindowRow> rows, size_t stage,
                             End end) const {
  const Stage& what = plan_.stages[stage];
  for (size_t j = 0; j < what.writes.size(); ++j) {
    const size_t index = plan_.IndexOf(what.writes[j]);
    const KeptValue& kept = plan_.kept[index];
    const int64_t strip = plan_.PositionsIn(kept, SamplesAt(stage, end)) * kept.step_elements;
    const int64_t taken = (end == End::kLeft ? kept.left : kept.right) * kept.step_elements;
    const int64_t to = end == End::kLeft ? 0 : kept.positions * kept.step_elements - taken;
    const float* from = computed.values[j].values<float>().data() + static_cast<int64_t>(first_row) * strip +
                        (end == End::kLeft ? 0 : strip - taken);
    for (const WindowRow& row : rows) {
      CopyFloats(from, taken, row.kept->tapes[index].window() + to);
      from += strip;
    }
  }
}

absl::Status WindowReuse::RunTail(execution::ExecutionContext& context, const WindowRow& row) const {
  ASSIGN_OR_RETURN(const PlanPtr plan, PlanOf(plan_.stages.size() + 1, 1, plan_.split.window_samples()));
  std::vector<const void*> inputs;
  for (const CutValue& cut : plan_.split.cuts) inputs.push_back(row.kept->tapes[plan_.IndexOf(cut.value)].window());
  std::vector<void*> outputs;
  for (const tensor::MutableTensorView& output : row.outputs) outputs.push_back(output.data);
  return plan->Run(context, inputs, absl::MakeSpan(outputs));
}

absl::Status WindowReuse::RunTails(execution::ExecutionContext& context, absl::Span<WindowRow> rows) const {
  if (!plan_.tails_together || rows.size() == 1) {
    for (const WindowRow& row : rows) RETURN_IF_ERROR(RunTail(context, row));
    return absl::OkStatus();
  }
  const auto count = static_cast<int64_t>(rows.size());
  ASSIGN_OR_RETURN(const PlanPtr plan, PlanOf(plan_.stages.size() + 1, count, plan_.split.window_samples()));
  std::vector<Tensor> gathered;
  std::vector<const void*> inputs;
  for (const CutValue& cut : plan_.split.cuts) {
    const size_t kept = plan_.IndexOf(cut.value);
    ASSIGN_OR_RETURN(Tensor windows, GatherKept(rows, kept, plan_.kept[kept].positions, End::kLeft));
    inputs.push_back(windows.data());
    gathered.push_back(std::move(windows));
  }
  std::vector<Tensor> outputs;
  std::vector<void*> targets;
  for (const tensor::MutableTensorView& one : rows[0].outputs) {
    ASSIGN_OR_RETURN(Tensor output, Tensor::Create(one.data_type, tensor::WithRows(one.shape, count)));
    targets.push_back(output.mutable_data());
    outputs.push_back(std::move(output));
  }
  RETURN_IF_ERROR(plan->Run(context, inputs, absl::MakeSpan(targets)));
  for (size_t j = 0; j < outputs.size(); ++j) {
    for (int64_t r = 0; r < count; ++r) {
      const tensor::TensorView row = tensor::Rows(outputs[j].view(), r, 1);
      std::memcpy(rows[static_cast<size_t>(r)].outputs[j].data, row.data, row.byte_size());
    }
  }
  return absl::OkStatus();
}

}  // namespace stillwave::overlap
