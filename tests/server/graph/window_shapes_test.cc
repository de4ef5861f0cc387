// Where the windows of convolutions and poolings land.
#include "gtest/gtest.h"
#include "server/graph/shape_inference.h"
#include "tests/support/network_builder.h"
#include "tests/support/status_matchers.h"

namespace stillwave::graph {
namespace {

using tensor::Shape;
using test_support::IsOk;
using test_support::StatusIs;
using test_support::UniformWindow;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

int64_t OutputLength(const Window& window, bool ceil_mode, int64_t length) {
  const auto resolved = ResolveWindow(window, ceil_mode, Shape({1, 1, length}));
  EXPECT_THAT(resolved, IsOk());
  return resolved.ok() ? resolved->output[0] : -1;
}

TEST(ResolveWindowTest, RoundsDownAndInCeilModeUp) {
  EXPECT_EQ(OutputLength(UniformWindow(1, 3, 2), false, 8), 3);
  EXPECT_EQ(OutputLength(UniformWindow(1, 3, 2), true, 8), 4);
  EXPECT_EQ(OutputLength(UniformWindow(1, 3, 1, 2, 2, 2), false, 8), 8);
  EXPECT_EQ(OutputLength(UniformWindow(1, 80, 4), false, 1600), 381);
}

TEST(ResolveWindowTest, DropsALastWindowThatStartsInTheEndPadding) {
  EXPECT_EQ(OutputLength(UniformWindow(1, 2, 2, 1, 0, 1), true, 2), 1);
  EXPECT_EQ(OutputLength(UniformWindow(1, 2, 3, 1, 1, 1), true, 4), 2);
}

TEST(ResolveWindowTest, SplitsSamePaddingWithTheOddElementOnTheSideThatTheNameSays) {
  Window window = UniformWindow(1, 8);
  window.auto_pad = AutoPad::kSameUpper;
  auto resolved = ResolveWindow(window, false, Shape({1, 1, 40}));
  ASSERT_THAT(resolved, IsOk());
  EXPECT_THAT(resolved->pads_begin, ElementsAre(3));
  EXPECT_THAT(resolved->pads_end, ElementsAre(4));
  EXPECT_THAT(resolved->output, ElementsAre(40));
  window.auto_pad = AutoPad::kSameLower;
  resolved = ResolveWindow(window, false, Shape({1, 1, 40}));
  ASSERT_THAT(resolved, IsOk());
  EXPECT_THAT(resolved->pads_begin, ElementsAre(4));
  window.auto_pad = AutoPad::kValid;
  resolved = ResolveWindow(window, false, Shape({1, 1, 40}));
  ASSERT_THAT(resolved, IsOk());
  EXPECT_THAT(resolved->output, ElementsAre(33));
}

TEST(ResolveWindowTest, SamePaddingDependsOnTheLengthAndTheStride) {
  Window window = UniformWindow(1, 3, 2);
  window.auto_pad = AutoPad::kSameUpper;
  for (const int64_t length : {1, 2, 5, 8, 9}) {
    EXPECT_EQ(OutputLength(window, false, length), (length + 1) / 2) << length;
  }
  const auto resolved = ResolveWindow(window, false, Shape({1, 1, 8}));
  ASSERT_THAT(resolved, IsOk());
  EXPECT_THAT(resolved->pads_begin, ElementsAre(0));
  EXPECT_THAT(resolved->pads_end, ElementsAre(1));
}

TEST(ResolveWindowTest, RefusesAWindowThatDoesNotFitAndSaysBothLengths) {
  EXPECT_THAT(ResolveWindow(UniformWindow(1, 5, 1, 2, 1, 1), false, Shape({1, 1, 6})),
              StatusIs(kInvalid, AllOf(HasSubstr("spans 9"), HasSubstr("into 6 + padding 1 + 1"))));
}

TEST(ResolveWindowTest, RefusesInputsWithoutSpatialAxesOrOfLengthZero) {
  EXPECT_THAT(ResolveWindow(UniformWindow(1, 1), false, Shape({1, 3})), StatusIs(kInvalid, HasSubstr("was [1,3]")));
  EXPECT_THAT(ResolveWindow(UniformWindow(1, 1), false, Shape({1, 3, 0})),
              StatusIs(kInvalid, HasSubstr("a spatial axis must be between 1")));
}

TEST(ResolveWindowTest, RefusesAttributesOutOfRangeByName) {
  const Shape input({1, 1, 8});
  Window window = UniformWindow(1, 3);
  window.strides = {0};
  EXPECT_THAT(ResolveWindow(window, false, input), StatusIs(kInvalid, HasSubstr("strides must be between 1")));
  window = UniformWindow(1, 3);
  window.dilations = {-1};
  EXPECT_THAT(ResolveWindow(window, false, input), StatusIs(kInvalid, HasSubstr("dilations")));
  window = UniformWindow(1, 3);
  window.pads_end = {-2};
  EXPECT_THAT(ResolveWindow(window, false, input), StatusIs(kInvalid, HasSubstr("pads must be between 0")));
  window = UniformWindow(1, 0);
  EXPECT_THAT(ResolveWindow(window, false, input), StatusIs(kInvalid, HasSubstr("kernel_shape")));
  window = UniformWindow(1, INT64_MAX);
  EXPECT_THAT(ResolveWindow(window, false, input), StatusIs(kInvalid, HasSubstr("was 9223372036854775807")));
  window = UniformWindow(2, 3);
  EXPECT_THAT(ResolveWindow(window, false, input), StatusIs(kInvalid, HasSubstr("per spatial axis (1)")));
}

}  // namespace
}  // namespace stillwave::graph
