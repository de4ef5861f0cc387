#include "server/overlap/describe_reuse.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace stillwave::overlap {

namespace {

constexpr int64_t kSmallestPart = 64;  // of a window, that a hop may be

// "8 and 24 of 1024 samples": the left strip and the right one. With several stages: the least and the most of both.
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
  absl::StatusOr<LocalPrefix> split = SplitAtTime(model.network(), window);
  const int64_t alignment = split.ok() ? split->alignment : 1;
  const auto hop_of = [&](int64_t part) { return window[time_axis] / part / alignment * alignment; };
  // What is kept for the smallest of these hops.
  if (split.ok()) split = SplitAtTime(model.network(), window, hop_of(kSmallestPart));
  if (split.ok()) {
    for (const CutValue& cut : split->cuts) {
      absl::StrAppend(&text, "  kept  '", split->network.value(cut.value).name, "', ", cut.where.positions,
                      " positions of ", cut.step.ToString(), ", ", cut.where.stride, " samples apart; edges of ",
                      cut.where.left, " and ", cut.where.right, "\n");
    }
    absl::StrAppend(&text, "  until  ", split->end.empty() ? "the outputs" : split->end, "\n");
  }
  for (const int64_t part : {kSmallestPart, int64_t{16}, int64_t{8}, int64_t{4}, int64_t{2}}) {
    const int64_t hop = hop_of(part);
    if (hop == 0) continue;
    const absl::StatusOr<ReusePlan> plan = PlanReuse(model.network(), window, hop);
    absl::StrAppend(
        &text, "  hop ", hop, "  ",
        plan.ok() ? DescribeReuse(*plan) : absl::StrCat("full windows: ", std::string(plan.status().message())), "\n");
  }
  return text;
}

}  // namespace stillwave::overlap
