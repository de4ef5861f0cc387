#include "server/overlap/reuse_plan.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/base/status_macros.h"
#include "server/model/work_estimate.h"
#include "server/passes/specialize.h"

namespace stillwave::overlap {
namespace {

using tensor::Shape;

// Kernels that take time steps in pairs take no fewer (lower_winograd.cc).
constexpr int64_t kLeastPositions = 8;

// What a step costs beside its arithmetic, in the units of model::EstimateWork: about a microsecond.
constexpr int64_t kStepWork = int64_t{1} << 14;

absl::Status FullWindows(absl::string_view why) { return absl::FailedPreconditionError(why); }

// By how many samples a strip may be shorter than the window, so that each value of the cut has `hop` interior
// positions beside both edges; a multiple of twice the alignment.
int64_t FewerSamples(const LocalPrefix& split, int64_t hop) {
  int64_t fewer = split.window_samples() - 1;
  for (const CutValue& cut : split.cuts) {
    const Locality& where = cut.where;
    fewer = std::min(fewer, where.stride * (where.positions - where.left - where.right) - hop);
  }
  for (const Locality& where : split.convolutions) {
    if (where.positions >= kLeastPositions) {
      fewer = std::min(fewer, where.stride * (where.positions - kLeastPositions));
    }
  }
  const int64_t pair = 2 * split.alignment;
  return std::max<int64_t>(fewer / pair, 0) * pair;
}

// The left edge of a value, as far as anything reads it.
int64_t LeftEdge(const CutValue& cut) { return cut.first_read < cut.where.left ? cut.where.left : 0; }

bool HasLeftEdge(const LocalPrefix& split) {
  return std::any_of(split.cuts.begin(), split.cuts.end(), [](const CutValue& cut) { return LeftEdge(cut) > 0; });
}

CutStrips StripsOf(const CutValue& cut, const ReusePlan& plan) {
  const Locality& where = cut.where;
  const auto positions_in = [&](int64_t samples) {
    return where.positions - (plan.split.window_samples() - samples) / where.stride;
  };
  CutStrips strips;
  strips.step_elements = cut.step.num_elements();
  strips.positions = where.positions;
  strips.hop = plan.hop / where.stride;
  strips.left = LeftEdge(cut);
  strips.right = strips.hop + where.right;
  strips.left_strip = plan.left_samples > 0 ? positions_in(plan.left_samples) : 0;
  strips.right_strip = positions_in(plan.right_samples);
  return strips;
}

double Work(const graph::Graph& specialized) {
  return static_cast<double>(model::EstimateWork(specialized)) +
         static_cast<double>(kStepWork * model::CountSteps(specialized));
}

absl::StatusOr<double> WorkAt(const graph::Graph& graph, absl::Span<const Shape> shapes) {
  ASSIGN_OR_RETURN(const graph::Graph specialized, passes::Specialize(graph, shapes));
  return Work(specialized);
}

// Of a window that follows another.
absl::StatusOr<double> WorkOfNext(const ReusePlan& plan) {
  const LocalPrefix& split = plan.split;
  ASSIGN_OR_RETURN(double work, WorkAt(split.prefix, {split.InputShape(1, plan.right_samples)}));
  if (plan.left_samples > 0) {
    ASSIGN_OR_RETURN(const double left, WorkAt(split.prefix, {split.InputShape(1, plan.left_samples)}));
    work += left;
  }
  std::vector<Shape> cut_shapes;
  for (const graph::ValueId id : split.tail.inputs()) cut_shapes.push_back(split.tail.value(id).shape);
  ASSIGN_OR_RETURN(const double tail, WorkAt(split.tail, cut_shapes));
  return work + tail;
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

}  // namespace

absl::StatusOr<ReusePlan> PlanReuse(const graph::Graph& network, const Shape& window, int64_t hop,
                                    const ReuseLimits& limits) {
  ReusePlan plan;
  ASSIGN_OR_RETURN(plan.split, SplitAtTime(network, window));
  plan.hop = hop;
  const LocalPrefix& split = plan.split;
  RETURN_IF_ERROR(CheckHop(split, hop));
  const int64_t length = split.window_samples();
  const int64_t fewer = FewerSamples(split, hop);
  if (fewer == 0) return FullWindows("the edges that the window's padding reaches leave nothing to keep");
  plan.right_samples = length - fewer;
  if (HasLeftEdge(split)) plan.left_samples = length - FewerSamples(split, 0);
  for (const CutValue& cut : split.cuts) {
    plan.cuts.push_back(StripsOf(cut, plan));
    const CutStrips& strips = plan.cuts.back();
    plan.kept_bytes += strips.positions * strips.step_elements * static_cast<int64_t>(sizeof(float));
  }
  if (plan.kept_bytes > limits.max_kept_bytes) {
    return FullWindows(absl::StrCat("what is kept for a series must have at most ", limits.max_kept_bytes,
                                    " bytes; would have ", plan.kept_bytes));
  }
  RETURN_IF_ERROR(AgreesAt(split, plan.right_samples));
  if (plan.left_samples > 0) RETURN_IF_ERROR(AgreesAt(split, plan.left_samples));
  ASSIGN_OR_RETURN(const double full, WorkAt(network, {window}));
  ASSIGN_OR_RETURN(const double next, WorkOfNext(plan));
  plan.share = next / full;
  if (plan.share > limits.max_share) {
    return FullWindows(absl::StrFormat("a window would cost %.0f %% of a full one; more than %.0f %% is not worth it",
                                       100 * plan.share, 100 * limits.max_share));
  }
  return plan;
}

}  // namespace stillwave::overlap
