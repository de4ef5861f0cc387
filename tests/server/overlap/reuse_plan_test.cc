#include "server/overlap/reuse_plan.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/network_builder.h"
#include "tests/support/status_matchers.h"

namespace stillwave::overlap {
namespace {

using graph::ValueId;
using test_support::NetworkBuilder;
using test_support::StatusIs;
using test_support::UniformWindow;
using ::testing::HasSubstr;

constexpr auto kFullWindows = absl::StatusCode::kFailedPrecondition;

// Three convolutions of kernel 3, same padding; mean over time; linear.
graph::Graph ThreeBlocks() {
  NetworkBuilder build(1);
  ValueId x = build.Input("x", {-1, 3, -1});
  int64_t channels = 3;
  for (const int64_t out : {8, 16, 8}) {
    x = build.Relu(build.BatchNorm(build.Conv(x, channels, out, UniformWindow(1, 3, 1, 1, 1, 1)), out));
    channels = out;
  }
  x = build.Node(graph::Flatten{1}, {build.Node(graph::GlobalPool{}, {x})});
  build.Output(build.Linear(x, 8, 2));
  return build.graph();
}

TEST(ReusePlan, OfAStackOfConvolutionsComputesHopAndEdges) {
  const absl::StatusOr<ReusePlan> plan = PlanReuse(ThreeBlocks(), {1, 3, 1024}, 16);
  ASSERT_TRUE(plan.ok()) << plan.status();
  // Means of four positions are kept. The hop and the right edge of 3 are five of them, which need a margin of 3 and
  // are a multiple of four samples fewer than the window; the left edge and its margin, but no fewer than 8 positions.
  EXPECT_EQ(plan->stages[0].right_samples, 24);
  EXPECT_EQ(plan->stages[0].left_samples, 8);
  EXPECT_EQ(plan->reused_samples(), 1024 - 24 - 8);
  ASSERT_EQ(plan->stages.size(), 1U);
  ASSERT_EQ(plan->kept.size(), 1U);
  const KeptValue& cut = plan->kept[0];
  EXPECT_EQ(cut.step_elements, 8);
  EXPECT_EQ(cut.positions, 256);
  EXPECT_EQ(cut.hop, 4);
  EXPECT_EQ(cut.left, 1);
  EXPECT_EQ(cut.right, 4 + 1);
  EXPECT_EQ(plan->PositionsIn(cut, 24), 6);
  EXPECT_EQ(plan->kept_bytes, 256 * 8 * 4);
  EXPECT_THAT(plan->split.end, HasSubstr("GlobalAveragePool"));
  EXPECT_LT(plan->share, 0.2);
}

TEST(ReusePlan, OfUnpaddedConvolutionsHasNoLeftStrip) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {-1, 4, -1});
  const ValueId y = build.Conv(build.Conv(x, 4, 8, UniformWindow(1, 5)), 8, 8, UniformWindow(1, 5));
  build.Output(build.Node(graph::GlobalPool{}, {y}));
  const absl::StatusOr<ReusePlan> plan = PlanReuse(build.graph(), {1, 4, 512}, 32, {.max_share = 2});
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->stages[0].left_samples, 0);
  EXPECT_EQ(plan->stages[0].right_samples, 32 + 8);
}

TEST(ReusePlan, StripsBeginAnEvenNumberOfPositionsAfterTheWindow) {
  for (const int64_t length : {255, 256}) {
    const absl::StatusOr<ReusePlan> plan = PlanReuse(ThreeBlocks(), {1, 3, length}, 15);
    ASSERT_TRUE(plan.ok()) << plan.status();
    EXPECT_EQ((length - plan->stages[0].right_samples) % 2, 0);
    EXPECT_GE(plan->stages[0].right_samples, 15 + 6);
  }
}

TEST(ReusePlan, KeepsEveryValueThatTheTailReads) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {-1, 4, -1});
  const ValueId a = build.Conv(x, 4, 8, UniformWindow(1, 3, 1, 1, 1, 1));
  const ValueId b = build.Conv(a, 8, 8, UniformWindow(1, 5, 1, 1, 4, 0));
  const ValueId gate = build.Node(graph::Unary{graph::UnaryKind::kSigmoid}, {build.Node(graph::GlobalPool{}, {b})});
  build.Output(build.Node(graph::Binary{graph::BinaryKind::kMul}, {a, gate}));
  const absl::StatusOr<ReusePlan> plan = PlanReuse(build.graph(), {1, 4, 512}, 16, {.max_share = 2});
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->split.cuts.size(), 2U);
}

TEST(ReusePlan, NeedsAHopThatTheStridesDivide) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {-1, 4, -1});
  const ValueId y = build.Conv(build.Conv(x, 4, 8, UniformWindow(1, 4, 4)), 8, 8, UniformWindow(1, 3, 2, 1, 1, 1));
  build.Output(build.Node(graph::GlobalPool{}, {y}));
  EXPECT_TRUE(PlanReuse(build.graph(), {1, 4, 1024}, 64, {.max_share = 2}).ok());
  EXPECT_THAT(
      PlanReuse(build.graph(), {1, 4, 1024}, 20, {.max_share = 2}).status(),
      StatusIs(kFullWindows, HasSubstr("hop must be a multiple of 8, the stride of the layers that are local in "
                                       "time; was 20")));
}

TEST(ReusePlan, KeepsEveryPositionWhereTheHopCutsThroughBlocksOfThem) {
  const absl::StatusOr<ReusePlan> plan = PlanReuse(ThreeBlocks(), {1, 3, 1024}, 18);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->stages[0].right_samples, 18 + 3 + 3);
  EXPECT_EQ(plan->stages[0].left_samples, 8);
  ASSERT_EQ(plan->kept.size(), 1U);
  const KeptValue& cut = plan->kept[0];
  EXPECT_EQ(cut.positions, 1024);
  EXPECT_EQ(cut.hop, 18);
  EXPECT_EQ(cut.left, 3);
  EXPECT_EQ(cut.right, 18 + 3);
  EXPECT_EQ(plan->kept_bytes, 1024 * 8 * 4);
}

TEST(ReusePlan, SaysWhyFullWindowsRun) {
  EXPECT_THAT(PlanReuse(ThreeBlocks(), {1, 3, 128}, 128).status(),
              StatusIs(kFullWindows, HasSubstr("hop must be smaller than the window of 128 samples; was 128")));
  EXPECT_THAT(PlanReuse(ThreeBlocks(), {1, 3, 128}, 100).status(), StatusIs(kFullWindows, HasSubstr("not worth it")));
  EXPECT_THAT(PlanReuse(ThreeBlocks(), {1, 3, 12}, 8).status(),
              StatusIs(kFullWindows, HasSubstr("leave nothing to keep")));
  EXPECT_THAT(PlanReuse(ThreeBlocks(), {1, 3, 1024}, 16, {.max_kept_bytes = 1000}).status(),
              StatusIs(kFullWindows, HasSubstr("must have at most 1000 bytes; would have 8192")));
}

TEST(ReusePlan, NeedsSomethingThatIsLocalBeforeWhatIsNot) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {-1, 4, -1});
  build.Output(build.Node(graph::GlobalPool{}, {x}));
  EXPECT_THAT(PlanReuse(build.graph(), {1, 4, 128}, 16).status(),
              StatusIs(kFullWindows, HasSubstr("reads the whole window")));
}

TEST(ReusePlan, NeedsNoLeftStripWhereOnlyTheLastStepIsRead) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {-1, 4, -1});
  const ValueId y = build.Conv(x, 4, 8, UniformWindow(1, 3, 1, 8, 16, 0));
  const ValueId last = build.Node(graph::Gather{2}, {y, build.Integers({-1})});
  build.Output(build.Node(graph::Flatten{1}, {last}));
  const absl::StatusOr<ReusePlan> plan = PlanReuse(build.graph(), {1, 4, 512}, 16, {.max_share = 2});
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->split.cuts[0].first_read, 511);
  EXPECT_EQ(plan->stages[0].left_samples, 0);
  EXPECT_EQ(plan->kept[0].left, 0);
  EXPECT_EQ(plan->stages[0].right_samples, 16 + 16);
}

TEST(ReusePlan, EndsThePrefixBeforeBoundsThatCountFromTheEnd) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {-1, 4, -1});
  const ValueId y = build.Conv(x, 4, 8, UniformWindow(1, 3, 1, 1, 2, 0));
  const ValueId last =
      build.Node(graph::Slice{}, {y, build.Integers({-8}), build.Integers({1 << 20}), build.Integers({2})});
  build.Output(build.Node(graph::GlobalPool{}, {last}));
  const absl::StatusOr<ReusePlan> plan = PlanReuse(build.graph(), {1, 4, 512}, 16, {.max_share = 2});
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->split.cuts.size(), 1U);
  EXPECT_EQ(plan->split.cuts[0].value, y);
  EXPECT_THAT(plan->split.end, HasSubstr("depends on the length"));
}

}  // namespace
}  // namespace stillwave::overlap
