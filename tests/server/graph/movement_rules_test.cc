// Refusals of the operators that move, repeat, resize or make elements; what they accept is in the grid of op_cases.h.
#include <limits>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "server/graph/shape_inference.h"
#include "tests/support/network_builder.h"
#include "tests/support/ref_tensor.h"
#include "tests/support/status_matchers.h"

namespace stillwave::graph {
namespace {

using tensor::DataType;
using tensor::Shape;
using tensor::Tensor;
using test_support::IntegerTensor;
using test_support::RealTensor;
using test_support::StatusIs;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;

// Owns the constants that it describes.
class Inputs {
 public:
  Inputs& Float(const Shape& shape) {
    types_.push_back({true, DataType::kFloat32, shape, nullptr});
    return *this;
  }
  Inputs& LeftOut() {
    types_.push_back({.present = false});
    return *this;
  }
  Inputs& Constant(const test_support::RefTensor& value) {
    constants_.push_back(std::make_unique<Tensor>(test_support::ToTensor(value)));
    const Tensor& constant = *constants_.back();
    types_.push_back({true, constant.data_type(), constant.shape(), &constant});
    return *this;
  }
  Inputs& Integers(std::vector<int64_t> values) {
    const auto count = static_cast<int64_t>(values.size());
    return Constant(IntegerTensor({count}, std::move(values)));
  }
  Inputs& Reals(std::vector<double> values) {
    const auto count = static_cast<int64_t>(values.size());
    return Constant(RealTensor({count}, std::move(values)));
  }
  absl::StatusOr<TensorType> Infer(const Op& op) const { return InferOutput(op, types_); }

 private:
  std::vector<std::unique_ptr<Tensor>> constants_;
  std::vector<InputType> types_;
};

Inputs X(const Shape& shape) {
  Inputs inputs;
  inputs.Float(shape);
  return inputs;
}

TEST(SplitRuleTest, RefusesPartsThatDoNotMakeUpTheAxis) {
  const SplitPart part{1, 0, 2};
  EXPECT_THAT(X({2, 6}).Integers({2, 3}).Infer(part), StatusIs(kInvalid, HasSubstr("sum to the axis's 6 elements")));
  EXPECT_THAT(X({2, 6}).Integers({7, -1}).Infer(part), StatusIs(kInvalid, HasSubstr("one part is 7")));
  EXPECT_THAT(X({2, 6}).Integers({6}).Infer(part), StatusIs(kInvalid, HasSubstr("each of the 2 outputs; has 1")));
  EXPECT_THAT(X({2, 5}).Infer(SplitPart{1, 0, 4}), StatusIs(kInvalid, HasSubstr("cannot be split into 4 parts of 2")));
  EXPECT_THAT(X({2, 5}).Float({2}).Infer(part), StatusIs(kUnimplemented, HasSubstr("split must be known")));
  EXPECT_THAT(X({2, 5}).Infer(SplitPart{2, 0, 1}), StatusIs(kInvalid, HasSubstr("axis must be between -2 and 1")));
}

TEST(TileRuleTest, RefusesRepeatsThatDoNotFit) {
  EXPECT_THAT(X({2, 6}).Integers({2}).Infer(Tile{}), StatusIs(kInvalid, HasSubstr("each of the 2 axes; has 1")));
  EXPECT_THAT(X({2, 6}).Integers({2, -1}).Infer(Tile{}), StatusIs(kInvalid, HasSubstr("one is -1")));
  EXPECT_THAT(X({2, 6}).Integers({1, INT64_MAX}).Infer(Tile{}), StatusIs(kInvalid, HasSubstr("cannot grow")));
  EXPECT_THAT(X({2, 6}).Integers({1, int64_t{1} << 40}).Infer(Tile{}), StatusIs(kInvalid, HasSubstr("limit")));
}

TEST(DepthToSpaceRuleTest, RefusesBlocksThatDoNotDivide) {
  EXPECT_THAT(X({1, 6, 2, 2}).Infer(DepthToSpace{2}), StatusIs(kInvalid, HasSubstr("divide the 6 channels")));
  EXPECT_THAT(X({1, 4, 2}).Infer(DepthToSpace{2}), StatusIs(kInvalid, HasSubstr("must be N×C×H×W; was [1,4,2]")));
  EXPECT_THAT(X({1, 4, 2, 3}).Infer(SpaceToDepth{2}), StatusIs(kInvalid, HasSubstr("divide height and width")));
  EXPECT_THAT(X({1, 4, 2, 3}).Infer(SpaceToDepth{0}), StatusIs(kInvalid, HasSubstr("was 0")));
}

TEST(ResizeRuleTest, NeedsScalesOrSizes) {
  EXPECT_THAT(X({1, 2, 4}).Infer(Resize{}), StatusIs(kInvalid, HasSubstr("none is")));
  EXPECT_THAT(X({1, 2, 4}).LeftOut().Reals({1, 1, 2}).Integers({1, 2, 8}).Infer(Resize{}),
              StatusIs(kInvalid, HasSubstr("both are")));
  EXPECT_THAT(X({1, 2, 4}).LeftOut().Float({3}).Infer(Resize{}),
              StatusIs(kUnimplemented, HasSubstr("scales must be known")));
}

TEST(ResizeRuleTest, RefusesScalesAndSizesThatMakeNoTensor) {
  const auto scaled = [](std::vector<double> scales) {
    return X({1, 2, 4}).LeftOut().Reals(std::move(scales)).Infer(Resize{});
  };
  EXPECT_THAT(scaled({1, 2}), StatusIs(kInvalid, HasSubstr("scales must have 3 entries; has 2")));
  EXPECT_THAT(scaled({1, 1, 0}), StatusIs(kInvalid, HasSubstr("one is 0")));
  EXPECT_THAT(scaled({1, 1, -2}), StatusIs(kInvalid, HasSubstr("one is -2")));
  EXPECT_THAT(scaled({1, 1, std::numeric_limits<double>::quiet_NaN()}), StatusIs(kInvalid, HasSubstr("one is nan")));
  EXPECT_THAT(scaled({1, 1, 1e30}), StatusIs(kInvalid, HasSubstr("an axis of 4 elements must not become")));
  EXPECT_THAT(X({1, 2, 4}).LeftOut().LeftOut().Integers({1, 2, -8}).Infer(Resize{}),
              StatusIs(kInvalid, HasSubstr("must not become -8")));
  EXPECT_THAT(X({1, 2, 0}).LeftOut().LeftOut().Integers({1, 2, 8}).Infer(Resize{}),
              StatusIs(kInvalid, HasSubstr("cannot resize an empty axis")));
  EXPECT_THAT(X({1, 2, 4}).LeftOut().Reals({2, 2}).Infer(Resize{.axes = {2, -1}}),
              StatusIs(kInvalid, HasSubstr("axes must differ; 2 stands twice")));
}

TEST(ResizeRuleTest, NeedsARoiToCrop) {
  EXPECT_THAT(X({1, 2, 4}).LeftOut().Reals({1, 1, 2}).Infer(Resize{.coordinates = CoordinateMode::kTfCropAndResize}),
              StatusIs(kInvalid, HasSubstr("needs roi")));
}

TEST(ResizeRuleTest, MultipliesInFloatAsExportersDo) {
  const auto type = X({1, 2, 10}).LeftOut().Reals({1, 1, 0.7}).Infer(Resize{});
  ASSERT_TRUE(type.ok());
  EXPECT_EQ(type->shape, Shape({1, 2, 7}));
}

TEST(RangeRuleTest, RefusesStepsThatLeadNowhere) {
  const auto range = [](double start, double limit, double delta) {
    const auto scalar = [](double value) { return RealTensor({}, {value}); };
    return Inputs().Constant(scalar(start)).Constant(scalar(limit)).Constant(scalar(delta)).Infer(Range{});
  };
  EXPECT_THAT(range(0, 1, 0), StatusIs(kInvalid, HasSubstr("delta must not be 0")));
  EXPECT_THAT(range(0, 1e30, 1), StatusIs(kInvalid, HasSubstr("more elements than a tensor may have")));
  EXPECT_THAT(range(0, std::numeric_limits<double>::quiet_NaN(), 1), StatusIs(kInvalid, HasSubstr("more elements")));
  EXPECT_THAT(Inputs().Float({}).Float({}).Float({}).Infer(Range{}),
              StatusIs(kUnimplemented, HasSubstr("start must be known")));
}

TEST(PadRuleTest, WrapsAsOftenAsNeedBeButNotNothing) {
  EXPECT_TRUE(X({2, 3}).Integers({0, 8, 0, 0}).Infer(Pad{PadMode::kWrap}).ok());
  EXPECT_THAT(X({2, 3}).Integers({0, -3, 0, 1}).Infer(Pad{PadMode::kWrap}), StatusIs(kInvalid, HasSubstr("too short")));
  EXPECT_THAT(X({2, 6}).Integers({0, 5, 0, -4}).Infer(Pad{PadMode::kReflect}),
              StatusIs(kInvalid, HasSubstr("too short")));
}

TEST(ConvTransposeRuleTest, RefusesWeightsAndLengthsThatDoNotFit) {
  const ConvTranspose conv{.window = test_support::UniformWindow(1, 3), .output_padding = {0}};
  EXPECT_THAT(X({1, 4, 9}).Float({3, 2, 3}).Infer(conv), StatusIs(kInvalid, HasSubstr("want 3 input channels")));
  EXPECT_THAT(X({1, 4, 9}).Float({4, 2, 5}).Infer(conv), StatusIs(kInvalid, HasSubstr("kernel_shape says 3")));
  EXPECT_THAT(X({1, 4, 9}).Float({4, 2, 3}).Float({3}).Infer(conv), StatusIs(kInvalid, HasSubstr("bias must have")));
  ConvTranspose grouped = conv;
  grouped.group = 3;
  EXPECT_THAT(X({1, 4, 9}).Float({4, 2, 3}).Infer(grouped), StatusIs(kInvalid, HasSubstr("group must be positive")));
  ConvTranspose cropped = conv;
  cropped.window.pads_begin = {7};
  cropped.window.pads_end = {7};
  EXPECT_THAT(X({1, 4, 9}).Float({4, 2, 3}).Infer(cropped),
              StatusIs(kInvalid, HasSubstr("a spatial axis of the output must be between 1 and 2^31-1; was -3")));
  ConvTranspose huge = conv;
  huge.window.strides = {int64_t{1} << 30};
  huge.window.dilations = {int64_t{1} << 30};
  EXPECT_THAT(X({1, 4, 9}).Float({4, 2, 3}).Infer(huge), StatusIs(kInvalid, HasSubstr("must be between")));
  ConvTranspose listed = conv;
  listed.output_shape = {9, 9};
  EXPECT_THAT(X({1, 4, 9}).Float({4, 2, 3}).Infer(listed), StatusIs(kInvalid, HasSubstr("have 1 and 2")));
}

}  // namespace
}  // namespace stillwave::graph
