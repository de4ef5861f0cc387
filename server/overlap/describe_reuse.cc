#include "server/overlap/describe_reuse.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace stillwave::overlap {

namespace {

// "8 and 22 of 1024 samples": the left strip and the right one. With several stages: the least and the most of both.
std::string DescribeStrips(const ReusePlan& plan) {
  const int64_t length = plan.split.window_samples();
  if (plan.stages.size() == 1) {
    return absl::StrFormat("%d and %d of %d samples", plan.stages[0].left_samples, plan.stages[0].right_samples,
                           length);
  }
  int64_t least = length;
  int64_t most = 0;
  for (const Stage& stage : plan.stages) {
    const int64_t samples = stage.left_samples + stage.right_samples;
    least = std::min(least, samples);
    most = std::max(most, samples);
  }
  return absl::StrFormat("in %d stages %d to %d of %d samples", plan.stages.size(), least, most, length);
}

}  // namespace

std::string DescribeReuse(const ReusePlan& plan) {
  const std::string text =
      absl::StrFormat("%.1f %% is recomputed for each window (%s); ", 100 * plan.share, DescribeStrips(plan));
  if (plan.split.end.empty()) return text + "all layers are local in time";
  return absl::StrCat(text, "kept up to where ", plan.split.end);
}

absl::StatusOr<std::string> DescribeWindows(const model::LoadedModel& model, int64_t window_length) {
  tensor::Shape window = model.sample_shapes()[0];
  const tensor::Shape& declared = model.signature().inputs[0].shape;
  if (window.rank() < 2) return std::string();
  const int time_axis = window.rank() - 1;
  if (window_length > 0 && declared[time_axis] == tensor::kDynamicDim) window[time_axis] = window_length;
  std::string text = absl::StrCat("overlapping windows of ", window[time_axis], " samples\n");
  int64_t alignment = 1;
  const absl::StatusOr<LocalPrefix> split = SplitAtTime(model.network(), window);
  if (split.ok()) {
    alignment = split->alignment;
    for (const CutValue& cut : split->cuts) {
      absl::StrAppend(&text, "  kept  '", model.network().value(cut.value).name, "', ", cut.where.positions,
                      " positions of ", cut.step.ToString(), ", ", cut.where.stride, " samples apart; edges of ",
                      cut.where.left, " and ", cut.where.right, "\n");
    }
    absl::StrAppend(&text, "  until  ", split->end.empty() ? "the outputs" : split->end, "\n");
  }
  for (int64_t part : {64, 16, 8, 4, 2}) {
    const int64_t hop = window[time_axis] / part / alignment * alignment;
    if (hop == 0) continue;
    const absl::StatusOr<ReusePlan> plan = PlanReuse(model.network(), window, hop);
    absl::StrAppend(
        &text, "  hop ", hop, "  ",
        plan.ok() ? DescribeReuse(*plan) : absl::StrCat("full windows: ", std::string(plan.status().message())), "\n");
  }
  return text;
}

}  // namespace stillwave::overlap
