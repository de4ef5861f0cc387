#include "server/overlap/stage_choice.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/overlap/reuse_plan.h"
#include "tests/support/network_builder.h"
#include "tests/support/status_matchers.h"

namespace stillwave::overlap {
namespace {

using graph::ValueId;
using test_support::NetworkBuilder;
using test_support::StatusIs;
using test_support::UniformWindow;
using ::testing::HasSubstr;

constexpr int64_t kChannels = 32;
constexpr ReuseLimits kAnyMemory = {.max_kept_bytes = int64_t{1} << 40, .least_gain_per_mebibyte = 0};

// Six convolutions of kernel 39, as InceptionTime has; with a shortcut around the first three. What the layers make, in
// order, goes to `layers`.
graph::Graph WideKernels(bool shortcut, std::vector<ValueId>* layers = nullptr) {
  NetworkBuilder build(1);
  ValueId x = build.Input("x", {-1, kChannels, -1});
  ValueId first = graph::kNoValue;
  for (int i = 0; i < 6; ++i) {
    x = build.Relu(build.Conv(x, kChannels, kChannels, UniformWindow(1, 39, 1, 1, 19, 19)));
    if (i == 0) first = x;
    if (i == 3 && shortcut) x = build.Add(x, first);
    if (layers != nullptr) layers->push_back(x);
  }
  x = build.Node(graph::Flatten{1}, {build.Node(graph::GlobalPool{}, {x})});
  build.Output(build.Linear(x, kChannels, 2));
  return build.graph();
}

LocalPrefix SplitOf(const graph::Graph& network, int64_t length = 1024) {
  absl::StatusOr<LocalPrefix> split = SplitAtTime(network, {1, kChannels, length});
  EXPECT_THAT(split, test_support::IsOk());
  return split.ok() ? *std::move(split) : LocalPrefix();
}

TEST(ChooseStages, CutsAStackOfWideKernelsBehindEachLayer) {
  std::vector<ValueId> layers;
  const LocalPrefix split = SplitOf(WideKernels(/*shortcut=*/false, &layers));
  const auto stages = ChooseStages(split, 16, kAnyMemory);
  ASSERT_THAT(stages, test_support::IsOk());
  ASSERT_EQ(stages->size(), 6U);
  for (size_t i = 0; i < stages->size(); ++i) {
    const Stage& stage = (*stages)[i];
    SCOPED_TRACE(i);
    EXPECT_EQ(stage.reads_samples, i == 0);
    EXPECT_EQ(stage.reads, i == 0 ? std::vector<ValueId>() : std::vector<ValueId>{layers[i - 1]});
    EXPECT_EQ(stage.writes, std::vector<ValueId>{layers[i]});
    // The edge of all layers so far, and the margin of this one alone; strips differ from the window by an even number.
    const auto edge = static_cast<int64_t>(19 * (i + 1));
    EXPECT_EQ(stage.left_samples, edge + 19 + (edge + 19) % 2);
    EXPECT_EQ(stage.right_samples, 16 + edge + 19 + (edge + 19) % 2);
  }
}

TEST(ChooseStages, KeepsWhatAShortcutCarriesAcross) {
  std::vector<ValueId> layers;
  const LocalPrefix split = SplitOf(WideKernels(/*shortcut=*/true, &layers));
  const auto stages = ChooseStages(split, 16, kAnyMemory);
  ASSERT_THAT(stages, test_support::IsOk());
  ASSERT_EQ(stages->size(), 6U);
  EXPECT_THAT((*stages)[3].reads, testing::UnorderedElementsAre(layers[0], layers[2]));
  EXPECT_EQ((*stages)[3].writes, std::vector<ValueId>{layers[3]});
}

TEST(ChooseStages, TakeNoMoreMemoryThanASeriesMay) {
  const LocalPrefix split = SplitOf(WideKernels(/*shortcut=*/false));
  constexpr int64_t kLayerBytes = 1024 * kChannels * 4;
  for (const int64_t layers : {1, 2, 3, 6}) {
    const auto stages = ChooseStages(split, 16, {.max_kept_bytes = layers * kLayerBytes});
    ASSERT_THAT(stages, test_support::IsOk());
    EXPECT_EQ(stages->size(), static_cast<size_t>(layers));
  }
}

TEST(ChooseStages, AskMoreOfACutThatTakesMoreMemory) {
  const LocalPrefix split = SplitOf(WideKernels(/*shortcut=*/false));
  size_t last = 7;
  for (const double gain : {0.0, 0.2, 1.0, 100.0}) {
    const auto stages = ChooseStages(split, 16, {.least_gain_per_mebibyte = gain});
    ASSERT_THAT(stages, test_support::IsOk());
    EXPECT_LT(stages->size(), last) << gain;
    last = stages->size();
  }
  EXPECT_EQ(last, 1U);
}

TEST(ChooseStages, LeavesAStackWithNarrowEdgesInOne) {
  NetworkBuilder build(1);
  ValueId x = build.Input("x", {-1, kChannels, -1});
  for (int i = 0; i < 3; ++i) x = build.Relu(build.Conv(x, i == 0 ? kChannels : 8, 8, UniformWindow(1, 3, 1, 1, 1, 1)));
  build.Output(build.Node(graph::GlobalPool{}, {x}));
  const auto stages = ChooseStages(SplitOf(build.graph()), 16, kAnyMemory);
  ASSERT_THAT(stages, test_support::IsOk());
  EXPECT_EQ(stages->size(), 1U);
}

TEST(ChooseStages, OfCausalLayersWhoseLastStepIsReadKeepsOnlyWhatTheNextStripReads) {
  NetworkBuilder build(1);
  ValueId x = build.Input("x", {-1, kChannels, -1});
  for (int i = 0; i < 4; ++i) x = build.Relu(build.Conv(x, kChannels, kChannels, UniformWindow(1, 9, 1, 8, 64, 0)));
  const ValueId last = build.Node(graph::Gather{2}, {x, build.Integers({-1})});
  build.Output(build.Node(graph::Flatten{1}, {last}));
  const auto plan = PlanReuse(build.graph(), {1, kChannels, 1024}, 16);
  ASSERT_THAT(plan, test_support::IsOk());
  ASSERT_EQ(plan->stages.size(), 4U);
  for (const Stage& stage : plan->stages) {
    EXPECT_EQ(stage.left_samples, 0);
    EXPECT_EQ(stage.right_samples, 16 + 64);
  }
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(plan->kept[i].positions, 16 + 64);
  EXPECT_EQ(plan->kept[3].positions, 1024);  // the tail picks its step from all of them
}

TEST(ChooseStages, SaysWhereEdgesLeaveNothing) {
  EXPECT_THAT(ChooseStages(SplitOf(WideKernels(/*shortcut=*/false), 240), 16, kAnyMemory).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("leave nothing to keep")));
}

TEST(FindBoundaries, AreBoundedInNumberAndBeginAndEndWithThePrefix) {
  NetworkBuilder build(1);
  ValueId x = build.Input("x", {-1, kChannels, -1});
  for (int i = 0; i < 100; ++i)
    x = build.Relu(build.Conv(x, i == 0 ? kChannels : 4, 4, UniformWindow(1, 3, 1, 1, 1, 1)));
  build.Output(build.Node(graph::GlobalPool{}, {x}));
  const LocalPrefix split = SplitOf(build.graph());
  const std::vector<Boundary> boundaries = FindBoundaries(split);
  EXPECT_EQ(boundaries.size(), kMaxBoundaries);
  EXPECT_EQ(boundaries.front().node, 0U);
  EXPECT_EQ(boundaries.back().node, split.local.nodes().size());
  for (size_t i = 1; i < boundaries.size(); ++i) EXPECT_GT(boundaries[i].node, boundaries[i - 1].node);
}

}  // namespace
}  // namespace stillwave::overlap
