// Resize in every opset's spelling, and Upsample.
#include <string>
#include <vector>

#include "tests/server/onnx/converter_test.h"

namespace stillwave::onnx_import {
namespace {

using graph::CoordinateMode;
using graph::NearestMode;
using graph::Resize;
using graph::ResizeMode;

Attr Text(const std::string& name, const std::string& value) { return {name, value}; }

// Since opset 11: X, roi, scales.
absl::StatusOr<graph::Graph> ImportResize(int64_t opset, const std::vector<Attr>& attributes) {
  return ModelBuilder(opset)
      .Input("x", {0, 3, 8})
      .Weight("scales", FloatTensor{{3}, {1, 1, 2}})
      .Node("Resize", {"x", "", "scales"}, {"y"}, attributes)
      .Output("y")
      .Import();
}

absl::StatusOr<graph::Graph> ImportUpsample(const std::vector<float>& scales, const std::string& mode = "nearest") {
  return ImportOneNode(9, "Upsample", {FloatTensor{{3}, scales}}, {Text("mode", mode)});
}

TEST(ConvertResize, HasTheTextsDefaults) {
  const auto graph = ImportResize(11, {});
  ASSERT_THAT(graph, IsOk());
  const auto& resize = LastOp<Resize>(graph);
  EXPECT_EQ(resize.mode, ResizeMode::kNearest);
  EXPECT_EQ(resize.coordinates, CoordinateMode::kHalfPixel);
  EXPECT_EQ(resize.nearest, NearestMode::kRoundPreferFloor);
  EXPECT_EQ(resize.cubic_coefficient, -0.75F);
  EXPECT_EQ(resize.aspect, graph::AspectPolicy::kStretch);
  EXPECT_FALSE(resize.antialias || resize.exclude_outside);
}

TEST(ConvertResize, ReadsEveryAttribute) {
  const auto graph = ImportResize(19, {Text("mode", "cubic"),
                                       Text("coordinate_transformation_mode", "half_pixel_symmetric"),
                                       Text("nearest_mode", "ceil"),
                                       Text("keep_aspect_ratio_policy", "not_smaller"),
                                       {"antialias", int64_t{1}},
                                       {"exclude_outside", int64_t{1}},
                                       {"cubic_coeff_a", -0.5F},
                                       {"extrapolation_value", 7.0F},
                                       {"axes", std::vector<int64_t>{2, 1}}});
  ASSERT_THAT(graph, IsOk());
  const auto& resize = LastOp<Resize>(graph);
  EXPECT_EQ(resize.mode, ResizeMode::kCubic);
  EXPECT_EQ(resize.coordinates, CoordinateMode::kHalfPixelSymmetric);
  EXPECT_EQ(resize.nearest, NearestMode::kCeil);
  EXPECT_EQ(resize.aspect, graph::AspectPolicy::kNotSmaller);
  EXPECT_TRUE(resize.antialias && resize.exclude_outside);
  EXPECT_EQ(resize.cubic_coefficient, -0.5F);
  EXPECT_EQ(resize.extrapolation_value, 7);
  EXPECT_THAT(resize.axes, ElementsAre(2, 1));
}

TEST(ConvertResize, RefusesWhatTheOpsetDoesNotHave) {
  EXPECT_THAT(ImportResize(18, {Text("coordinate_transformation_mode", "half_pixel_symmetric")}),
              StatusIs(kInvalid, HasSubstr("since opset 19")));
  EXPECT_THAT(ImportResize(13, {Text("coordinate_transformation_mode", "tf_half_pixel_for_nn")}),
              StatusIs(kInvalid, HasSubstr("until opset 12")));
  EXPECT_THAT(ImportResize(17, {{"antialias", int64_t{1}}}), StatusIs(kUnimplemented, HasSubstr("'antialias'")));
  EXPECT_THAT(ImportResize(18, {{"antialias", int64_t{1}}}), StatusIs(kInvalid, HasSubstr("with mode nearest")));
  EXPECT_THAT(ImportResize(13, {Text("mode", "area")}),
              StatusIs(kInvalid, HasSubstr("mode must be one of nearest, linear, cubic; was 'area'")));
}

TEST(ConvertResize, TensorFlowsHalfPixelIsHalfPixelRoundedUp) {
  const Attr transform = Text("coordinate_transformation_mode", "tf_half_pixel_for_nn");
  const auto graph = ImportResize(11, {transform, Text("nearest_mode", "floor")});
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(LastOp<Resize>(graph).coordinates, CoordinateMode::kHalfPixel);
  EXPECT_EQ(LastOp<Resize>(graph).nearest, NearestMode::kRoundPreferCeil);
  EXPECT_THAT(ImportResize(11, {transform}), StatusIs(kUnimplemented, HasSubstr("nearest_mode floor only")));
}

TEST(ConvertUpsample, IsAnAsymmetricResize) {
  for (const auto& graph :
       {ImportUpsample({1, 1, 2}), ImportOneNode(7, "Upsample", {}, {{"scales", std::vector<float>{1, 1, 2}}}),
        ImportOneNode(10, "Resize", {FloatTensor{{3}, {1, 1, 2}}}, {})}) {
    ASSERT_THAT(graph, IsOk());
    EXPECT_EQ(LastOp<Resize>(graph).coordinates, CoordinateMode::kAsymmetric);
    EXPECT_EQ(LastOp<Resize>(graph).nearest, NearestMode::kFloor);
    const graph::Node& node = graph->nodes().back();
    EXPECT_EQ(node.inputs[1], graph::kNoValue);
    EXPECT_THAT(graph->value(node.inputs[2]).constant->values<float>(), ElementsAre(1.0F, 1.0F, 2.0F));
  }
  EXPECT_EQ(LastOp<Resize>(ImportUpsample({1, 1, 2}, "linear")).mode, ResizeMode::kLinear);
  EXPECT_THAT(ImportOneNode(7, "Upsample", {}, {}), StatusIs(kInvalid, HasSubstr("'scales' is missing")));
}

TEST(ConvertUpsample, TakesTheElementBehindWhereElementsAreDropped) {
  EXPECT_EQ(LastOp<Resize>(ImportUpsample({1, 1, 0.6F})).nearest, NearestMode::kCeil);
  EXPECT_THAT(ImportUpsample({1, 2, 0.6F}), StatusIs(kUnimplemented, HasSubstr("one axis longer and another shorter")));
  EXPECT_THAT(
      ModelBuilder(9).Input("x", {0, 3, 8}).Input("s", {3}).Node("Upsample", {"x", "s"}, {"y"}).Output("y").Import(),
      StatusIs(kUnimplemented, HasSubstr("needs constant FP32 scales")));
}

}  // namespace
}  // namespace stillwave::onnx_import
