#include "server/overlap/reuse_plan.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/model/work_estimate.h"
#include "server/overlap/stage_choice.h"
#include "server/passes/specialize.h"

namespace stillwave::overlap {
namespace {

using graph::ValueId;
using tensor::Shape;

absl::Status FullWindows(absl::string_view why) { return absl::FailedPreconditionError(why); }

absl::StatusOr<double> WorkOf(const graph::Graph& graph, absl::Span<const Shape> shapes) {
  ASSIGN_OR_RETURN(const graph::Graph specialized, passes::Specialize(graph, shapes));
  return static_cast<double>(model::EstimateWork(specialized)) +
         static_cast<double>(kStepWork * model::CountSteps(specialized));
}

// Of a part, whose inputs have concrete shapes.
absl::StatusOr<double> WorkOfPart(const graph::Graph& part) {
  std::vector<Shape> shapes;
  for (const ValueId id : part.inputs()) shapes.push_back(part.value(id).shape);
  return WorkOf(part, shapes);
}

absl::StatusOr<double> WorkOfStages(const ReusePlan& plan) {
  double work = 0;
  for (const Stage& stage : plan.stages) {
    for (const int64_t samples : {stage.left_samples, stage.right_samples}) {
      if (samples == 0) continue;
      RETURN_IF_ERROR(AgreesAt(plan.split, stage, samples));
      ASSIGN_OR_RETURN(const graph::Graph graph, MakeStageGraph(plan.split, stage, 1, samples));
      ASSIGN_OR_RETURN(const double strip, WorkOfPart(graph));
      work += strip;
    }
  }
  return work;
}

// Gathering the cut takes time for each of its elements, and so do a tail's steps, and the weights that each tail reads
// anew: in elements that are copied meanwhile.
bool TailsTogether(const LocalPrefix& split, const graph::Graph& tail) {
  constexpr int64_t kStepElements = 2048;
  int64_t gathered = 0;
  for (const CutValue& cut : split.cuts) gathered += cut.where.positions * cut.step.num_elements();
  int64_t saved = kStepElements * model::CountSteps(tail);
  for (const graph::Node& node : tail.nodes()) {
    for (const ValueId id : node.inputs) {
      if (id == graph::kNoValue || tail.value(id).constant == nullptr) continue;
      saved += tail.value(id).shape.num_elements();
    }
  }
  return saved > 2 * gathered;
}

bool IsCut(const LocalPrefix& split, ValueId id) {
  return std::any_of(split.cuts.begin(), split.cuts.end(), [&](const CutValue& cut) { return cut.value == id; });
}

// Of a window, the positions that anything reads: from the end.
int64_t PositionsRead(const ReusePlan& plan, const KeptValue& kept) {
  if (IsCut(plan.split, kept.of.value)) return kept.of.where.positions;
  int64_t positions = kept.right;
  for (const Stage& stage : plan.stages) {
    if (std::find(stage.reads.begin(), stage.reads.end(), kept.of.value) == stage.reads.end()) continue;
    if (stage.left_samples > 0) return kept.of.where.positions;
    positions = std::max(positions, plan.PositionsIn(kept, stage.right_samples));
  }
  return positions;
}

void KeepWhatIsWritten(ReusePlan& plan) {
  std::vector<ValueId> written;
  for (const Stage& stage : plan.stages) {
    for (const ValueId id : stage.writes) {
      KeptValue kept;
      kept.of = plan.split.Value(id);
      kept.step_elements = kept.of.step.num_elements();
      kept.hop = plan.hop / kept.of.where.stride;
      kept.left = stage.left_samples > 0 ? kept.of.where.left : 0;
      kept.right = kept.hop + kept.of.where.right;
      kept.positions = PositionsRead(plan, kept);
      plan.kept_bytes += kept.positions * kept.step_elements * static_cast<int64_t>(sizeof(float));
      plan.kept.push_back(std::move(kept));
      written.push_back(id);
    }
  }
  plan.first = WholePrefix(plan.split, std::move(written));
}

absl::Status CheckHop(const LocalPrefix& split, int64_t hop) {
  if (hop % split.alignment != 0) {
    return FullWindows(absl::StrCat("hop must be a multiple of ", split.alignment,
                                    ", the stride of the layers that are local in time; was ", hop));
  }
  if (hop >= split.window_samples()) {
    return FullWindows(
        absl::StrCat("hop must be smaller than the window of ", split.window_samples(), " samples; was ", hop));
  }
  return absl::OkStatus();
}

absl::Status CheckCutBytes(const LocalPrefix& split, int64_t max_kept_bytes) {
  std::vector<ValueId> cut;
  for (const CutValue& value : split.cuts) cut.push_back(value.value);
  const int64_t bytes = KeptBytes(split, cut);
  if (bytes <= max_kept_bytes) return absl::OkStatus();
  return FullWindows(
      absl::StrCat("what is kept for a series must have at most ", max_kept_bytes, " bytes; would have ", bytes));
}

// Everything but the tail. `share` is the work of the stages.
absl::StatusOr<ReusePlan> PlanWith(const LocalPrefix& split, int64_t hop, absl::StatusOr<std::vector<Stage>> stages) {
  RETURN_IF_ERROR(stages.status());
  ReusePlan plan;
  plan.split = split;
  plan.hop = hop;
  plan.stages = *std::move(stages);
  KeepWhatIsWritten(plan);
  ASSIGN_OR_RETURN(plan.share, WorkOfStages(plan));
  return plan;
}

// In one stage where strips as short as those of many do something else.
absl::StatusOr<ReusePlan> PlanStages(const LocalPrefix& split, int64_t hop, const ReuseLimits& limits) {
  absl::StatusOr<ReusePlan> many = PlanWith(split, hop, ChooseStages(split, hop, limits));
  return many.ok() ? many : PlanWith(split, hop, OneStage(split, hop));
}

}  // namespace

size_t ReusePlan::IndexOf(ValueId id) const {
  const auto found =
      std::find_if(kept.begin(), kept.end(), [&](const KeptValue& value) { return value.of.value == id; });
  SW_CHECK(found != kept.end());
  return static_cast<size_t>(found - kept.begin());
}

int64_t ReusePlan::computed_samples() const {
  double work = 0;
  double computed = 0;
  for (const Stage& stage : stages) {
    work += stage.window_work;
    computed += stage.window_work * static_cast<double>(stage.left_samples + stage.right_samples);
  }
  return std::min(split.window_samples(), static_cast<int64_t>(std::llround(computed / work)));
}

absl::StatusOr<ReusePlan> PlanReuse(const graph::Graph& network, const Shape& window, int64_t hop,
                                    const ReuseLimits& limits) {
  ASSIGN_OR_RETURN(const LocalPrefix split, SplitAtTime(network, window, hop));
  RETURN_IF_ERROR(CheckHop(split, hop));
  RETURN_IF_ERROR(CheckCutBytes(split, limits.max_kept_bytes));
  ASSIGN_OR_RETURN(ReusePlan plan, PlanStages(split, hop, limits));
  ASSIGN_OR_RETURN(const graph::Graph tail, MakeTail(split, /*rows=*/1));
  plan.tails_together = TailsTogether(split, tail);
  ASSIGN_OR_RETURN(const double tail_work, WorkOfPart(tail));
  ASSIGN_OR_RETURN(const double full, WorkOf(network, {window}));
  plan.share = (plan.share + tail_work) / full;
  if (plan.share > limits.max_share) {
    return FullWindows(absl::StrFormat("a window would cost %.0f %% of a full one; more than %.0f %% is not worth it",
                                       100 * plan.share, 100 * limits.max_share));
  }
  return plan;
}

}  // namespace stillwave::overlap
