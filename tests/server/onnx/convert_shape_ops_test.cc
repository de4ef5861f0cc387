// The operators about shapes, places and constants.
#include <limits>
#include <string>
#include <vector>

#include "tests/server/onnx/converter_test.h"

namespace stillwave::onnx_import {
namespace {

using ::testing::IsEmpty;

TEST(ConvertShapeOps, ReadsReshape) {
  const Int64Tensor shape = {{2}, {0, -1}};
  EXPECT_FALSE(LastOp<graph::Reshape>(ImportOneNode(7, "Reshape", {shape}, {})).allow_zero);
  EXPECT_TRUE(LastOp<graph::Reshape>(ImportOneNode(14, "Reshape", {shape}, {{"allowzero", int64_t{1}}})).allow_zero);
  EXPECT_THAT(ImportOneNode(13, "Reshape", {shape}, {{"allowzero", int64_t{1}}}),
              StatusIs(kUnimplemented, HasSubstr("'allowzero'")));
}

TEST(ConvertShapeOps, ReadsFlatten) {
  EXPECT_EQ(LastOp<graph::Flatten>(ImportOneNode(17, "Flatten", {}, {})).axis, 1);
  EXPECT_EQ(LastOp<graph::Flatten>(ImportOneNode(17, "Flatten", {}, {{"axis", int64_t{-1}}})).axis, -1);
}

TEST(ConvertShapeOps, SqueezeAndUnsqueezeHaveOneFormForAllOpsets) {
  for (const std::string op : {"Squeeze", "Unsqueeze"}) {
    SCOPED_TRACE(op);
    const auto old = ImportOneNode(11, op, {}, {{"axes", Ints{0, -1}}});
    ASSERT_THAT(old, IsOk());
    EXPECT_THAT(Int64Input(old, 1), ElementsAre(0, -1));
    const auto now = ImportOneNode(13, op, {Int64Tensor{{1}, {2}}}, {});
    ASSERT_THAT(now, IsOk());
    EXPECT_THAT(Int64Input(now, 1), ElementsAre(2));
  }
  EXPECT_THAT(ImportOneNode(11, "Squeeze", {}, {})->nodes()[0].inputs, SizeIs(1));
  EXPECT_THAT(ImportOneNode(11, "Unsqueeze", {}, {}), StatusIs(kInvalid, HasSubstr("'axes' is missing")));
  EXPECT_THAT(ImportOneNode(13, "Unsqueeze", {}, {}), StatusIs(kInvalid, HasSubstr("must have 2 inputs")));
}

TEST(ConvertShapeOps, TransposeTakesPermutationsOnly) {
  EXPECT_THAT(LastOp<graph::Transpose>(ImportOneNode(17, "Transpose", {}, {})).perm, IsEmpty());
  EXPECT_THAT(LastOp<graph::Transpose>(ImportOneNode(17, "Transpose", {}, {{"perm", Ints{0, 2, 1}}})).perm,
              ElementsAre(0, 2, 1));
  for (const Ints& perm : {Ints{0, 2, 2}, Ints{0, 1, 3}, Ints{0, -1}, Ints(13, 0)}) {
    EXPECT_THAT(ImportOneNode(17, "Transpose", {}, {{"perm", perm}}), StatusIs(kInvalid, HasSubstr("perm must")));
  }
}

TEST(ConvertShapeOps, ReadsShapeAndItsRange) {
  const auto& whole = LastOp<graph::ShapeOf>(ImportOneNode(14, "Shape", {}, {}));
  EXPECT_EQ(whole.start, 0);
  EXPECT_EQ(whole.end, INT64_MAX);
  const auto graph = ImportOneNode(15, "Shape", {}, {{"start", int64_t{1}}, {"end", int64_t{-1}}});
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(LastOp<graph::ShapeOf>(graph).start, 1);
  EXPECT_EQ(LastOp<graph::ShapeOf>(graph).end, -1);
}

TEST(ConvertMovement, ReadsConcatGatherAndExpand) {
  EXPECT_EQ(LastOp<graph::Concat>(ImportOneNode(17, "Concat", {Iota({1, 3, 8})}, {{"axis", int64_t{-1}}})).axis, -1);
  EXPECT_THAT(ImportOneNode(17, "Concat", {}, {}), StatusIs(kInvalid, HasSubstr("'axis' is missing")));
  EXPECT_EQ(LastOp<graph::Gather>(ImportOneNode(17, "Gather", {Int64Tensor{{}, {1}}}, {{"axis", int64_t{1}}})).axis, 1);
  EXPECT_THAT(ImportOneNode(8, "Expand", {Int64Tensor{{1}, {1}}}, {}), IsOk());
  EXPECT_THAT(ImportOneNode(7, "Expand", {Int64Tensor{{1}, {1}}}, {}),
              StatusIs(kUnimplemented, HasSubstr("known from opset 8 on")));
}

TEST(ConvertMovement, SliceHasOneFormForAllOpsets) {
  const auto old = ImportOneNode(9, "Slice", {}, {{"starts", Ints{1}}, {"ends", Ints{INT64_MAX}}, {"axes", Ints{2}}});
  ASSERT_THAT(old, IsOk());
  EXPECT_THAT(Int64Input(old, 1), ElementsAre(1));
  EXPECT_THAT(Int64Input(old, 2), ElementsAre(INT64_MAX));
  EXPECT_THAT(Int64Input(old, 3), ElementsAre(2));
  EXPECT_THAT(ImportOneNode(9, "Slice", {}, {{"starts", Ints{1}}, {"ends", Ints{2}}})->nodes()[0].inputs, SizeIs(3));
  EXPECT_THAT(ImportOneNode(9, "Slice", {}, {{"starts", Ints{1}}, {"ends", Ints{2, 3}}}),
              StatusIs(kInvalid, HasSubstr("one entry for each axis; have 1, 2 and 0")));
  const Int64Tensor one = {{1}, {1}};
  EXPECT_THAT(ImportOneNode(10, "Slice", {one, one, one, one}, {})->nodes()[0].inputs, SizeIs(5));
  EXPECT_THAT(ImportOneNode(10, "Slice", {one}, {}), StatusIs(kInvalid, HasSubstr("must have 3 to 5 inputs; has 2")));
}

TEST(ConvertMovement, PadHasOneFormForAllOpsets) {
  const auto old = ImportOneNode(
      10, "Pad", {}, {{"pads", Ints{0, 0, 1, 0, 0, 2}}, {"value", -std::numeric_limits<float>::infinity()}});
  ASSERT_THAT(old, IsOk());
  EXPECT_THAT(Int64Input(old, 1), ElementsAre(0, 0, 1, 0, 0, 2));
  EXPECT_THAT(old->value(old->nodes()[0].inputs[2]).constant->values<float>(),
              ElementsAre(-std::numeric_limits<float>::infinity()));
  EXPECT_EQ(old->value(old->nodes()[0].inputs[2]).constant->shape().rank(), 0);
  const Int64Tensor pads = {{6}, {0, 0, 1, 0, 0, 2}};
  EXPECT_EQ(LastOp<graph::Pad>(ImportOneNode(11, "Pad", {pads}, {{"mode", std::string("reflect")}})).mode,
            graph::PadMode::kReflect);
  EXPECT_EQ(LastOp<graph::Pad>(ImportOneNode(11, "Pad", {pads}, {{"mode", std::string("edge")}})).mode,
            graph::PadMode::kEdge);
  EXPECT_EQ(LastOp<graph::Pad>(ImportOneNode(11, "Pad", {pads}, {})).mode, graph::PadMode::kConstant);
  EXPECT_EQ(LastOp<graph::Pad>(ImportOneNode(19, "Pad", {pads}, {{"mode", std::string("wrap")}})).mode,
            graph::PadMode::kWrap);
  EXPECT_THAT(ImportOneNode(18, "Pad", {pads}, {{"mode", std::string("wrap")}}),
              StatusIs(kInvalid, HasSubstr("(since opset 19) wrap; was 'wrap'")));
  EXPECT_THAT(Int64Input(ImportOneNode(1, "Pad", {}, {{"paddings", Ints{0, 0, 1, 0, 0, 2}}}), 1),
              ElementsAre(0, 0, 1, 0, 0, 2));
  EXPECT_THAT(ImportOneNode(11, "Pad", {pads}, {{"mode", std::string("mirror")}}),
              StatusIs(kInvalid, HasSubstr("'mirror'")));
  EXPECT_THAT(ImportOneNode(10, "Pad", {}, {}), StatusIs(kInvalid, HasSubstr("'pads' is missing")));
}

// A Split of x {N, 3, 8} with outputs y0, y1, y2.
absl::StatusOr<graph::Graph> ImportSplit(int64_t opset, const std::vector<Attr>& attributes,
                                         const std::vector<std::string>& inputs = {"x"}) {
  return ModelBuilder(opset)
      .Input("x", {0, 3, 8})
      .Weight("parts", Int64Tensor{{3}, {1, 1, 1}})
      .Node("Split", inputs, {"y0", "y1", "y2"}, attributes)
      .Output("y2")
      .Output("y0")
      .Import();
}

TEST(ConvertMovement, SplitBecomesANodeForEachOutputThatIsRead) {
  const auto graph = ImportSplit(18, {{"axis", int64_t{1}}, {"num_outputs", int64_t{3}}});
  ASSERT_THAT(graph, IsOk());
  ASSERT_THAT(graph->nodes(), SizeIs(2));
  EXPECT_EQ(std::get<graph::SplitPart>(graph->nodes()[0].op).index, 0);
  EXPECT_EQ(LastOp<graph::SplitPart>(graph).index, 2);
  EXPECT_EQ(LastOp<graph::SplitPart>(graph).parts, 3);
  EXPECT_EQ(LastOp<graph::SplitPart>(graph).axis, 1);
  EXPECT_EQ(graph->outputs()[0], graph->nodes()[1].outputs[0]);
}

TEST(ConvertMovement, SplitHasOneFormForAllOpsets) {
  EXPECT_THAT(Int64Input(ImportSplit(11, {{"axis", int64_t{1}}, {"split", Ints{1, 1, 1}}}), 1), ElementsAre(1, 1, 1));
  EXPECT_THAT(Int64Input(ImportSplit(13, {{"axis", int64_t{1}}}, {"x", "parts"}), 1), ElementsAre(1, 1, 1));
  EXPECT_THAT(Int64Input(ImportSplit(1, {{"axis", int64_t{1}}}, {"x", "parts"}), 1), ElementsAre(1, 1, 1));
  EXPECT_THAT(ImportSplit(18, {{"num_outputs", int64_t{2}}}),
              StatusIs(kInvalid, HasSubstr("num_outputs must be the number of outputs, 3; was 2")));
  EXPECT_THAT(ImportSplit(18, {{"num_outputs", int64_t{3}}}, {"x", "parts"}),
              StatusIs(kInvalid, HasSubstr("the parts must be said once")));
}

TEST(ConvertMovement, ReadsTileDepthToSpaceAndSpaceToDepth) {
  EXPECT_THAT(Int64Input(ImportOneNode(13, "Tile", {Int64Tensor{{3}, {1, 2, 1}}}, {}), 1), ElementsAre(1, 2, 1));
  const Attr block = {"blocksize", int64_t{2}};
  EXPECT_FALSE(LastOp<graph::DepthToSpace>(ImportOneNode(1, "DepthToSpace", {}, {block})).column_row_depth);
  EXPECT_TRUE(LastOp<graph::DepthToSpace>(ImportOneNode(11, "DepthToSpace", {}, {block, {"mode", std::string("CRD")}}))
                  .column_row_depth);
  EXPECT_EQ(LastOp<graph::SpaceToDepth>(ImportOneNode(13, "SpaceToDepth", {}, {block})).block, 2);
  EXPECT_THAT(ImportOneNode(13, "SpaceToDepth", {}, {}), StatusIs(kInvalid, HasSubstr("'blocksize' is missing")));
  EXPECT_THAT(ImportOneNode(13, "SpaceToDepth", {}, {{"blocksize", int64_t{0}}}),
              StatusIs(kInvalid, HasSubstr("was 0")));
  EXPECT_THAT(ImportOneNode(11, "DepthToSpace", {}, {block, {"mode", std::string("RCD")}}),
              StatusIs(kInvalid, HasSubstr("mode must be DCR or CRD; was 'RCD'")));
}

TEST(ConvertShapeOps, ReadsSizeAndRange) {
  EXPECT_THAT(ImportOneNode(13, "Size", {}, {}), IsOk());
  EXPECT_THAT(ImportOneNode(11, "Range", {Int64Tensor{{}, {4}}, Int64Tensor{{}, {1}}}, {}), IsOk());
  EXPECT_THAT(ImportOneNode(10, "Range", {Int64Tensor{{}, {4}}, Int64Tensor{{}, {1}}}, {}),
              StatusIs(kUnimplemented, HasSubstr("known from opset 11 on")));
}

TEST(ConvertConstants, ReadsCast) {
  EXPECT_EQ(LastOp<graph::Cast>(ImportOneNode(17, "Cast", {}, {{"to", int64_t{7}}})).to, tensor::DataType::kInt64);
  EXPECT_THAT(ImportOneNode(19, "Cast", {}, {{"to", int64_t{1}}, {"saturate", int64_t{1}}}), IsOk());
  EXPECT_THAT(ImportOneNode(17, "Cast", {}, {{"to", int64_t{8}}}), StatusIs(kUnimplemented, HasSubstr("STRING")));
  EXPECT_THAT(ImportOneNode(17, "Cast", {}, {{"to", int64_t{0}}}), StatusIs(kInvalid, HasSubstr("attribute 'to'")));
  EXPECT_THAT(ImportOneNode(17, "Cast", {}, {}), StatusIs(kInvalid, HasSubstr("'to' is missing")));
}

TEST(ConvertConstants, ConstantOfShapeFillsWithOneValue) {
  const auto with = [](const std::vector<Attr>& attributes) {
    return ModelBuilder()
        .Weight("s", Int64Tensor{{1}, {3}})
        .Node("ConstantOfShape", {"s"}, {"y"}, attributes)
        .Output("y")
        .Import();
  };
  EXPECT_THAT(LastOp<graph::ConstantOfShape>(with({})).value->values<float>(), ElementsAre(0.0F));
  EXPECT_THAT(LastOp<graph::ConstantOfShape>(with({{"value", Int64Tensor{{1}, {5}}}})).value->values<int64_t>(),
              ElementsAre(5));
  EXPECT_THAT(with({{"value", Iota({2})}}), StatusIs(kInvalid, HasSubstr("must have one element; has shape [2]")));
}

absl::StatusOr<graph::Graph> ImportConstant(const std::vector<Attr>& attributes, int64_t opset = 17) {
  return ModelBuilder(opset).Node("Constant", {}, {"y"}, attributes, "c").Output("y").Import();
}

const tensor::Tensor& OutputConstant(const absl::StatusOr<graph::Graph>& graph) {
  return *graph->value(graph->outputs()[0]).constant;
}

TEST(ConvertConstants, ConstantsAreValuesNotNodes) {
  const auto graph = ImportConstant({{"value", FloatTensor{{2}, {1, 2}}}});
  ASSERT_THAT(graph, IsOk());
  EXPECT_THAT(graph->nodes(), IsEmpty());
  EXPECT_THAT(OutputConstant(graph).values<float>(), ElementsAre(1.0F, 2.0F));
}

TEST(ConvertConstants, ReadsEverySpellingOfAConstant) {
  EXPECT_THAT(OutputConstant(ImportConstant({{"value_float", 2.5F}})).values<float>(), ElementsAre(2.5F));
  EXPECT_EQ(OutputConstant(ImportConstant({{"value_float", 2.5F}})).shape().rank(), 0);
  EXPECT_THAT(OutputConstant(ImportConstant({{"value_floats", std::vector<float>{1, 2}}})).values<float>(),
              ElementsAre(1.0F, 2.0F));
  EXPECT_THAT(OutputConstant(ImportConstant({{"value_int", int64_t{7}}})).values<int64_t>(), ElementsAre(7));
  EXPECT_THAT(OutputConstant(ImportConstant({{"value_ints", Ints{7, 8}}})).values<int64_t>(), ElementsAre(7, 8));
}

TEST(ConvertConstants, RefusesNoTwoAndUnsupportedValues) {
  EXPECT_THAT(ImportConstant({}), StatusIs(kInvalid, HasSubstr("exactly one attribute must give the value; 0 do")));
  EXPECT_THAT(ImportConstant({{"value_int", int64_t{7}}, {"value_float", 1.0F}}),
              StatusIs(kInvalid, HasSubstr("2 do")));
  EXPECT_THAT(ImportConstant({{"value_string", std::string("s")}}),
              StatusIs(kUnimplemented, HasSubstr("'value_string' is not supported")));
  EXPECT_THAT(ImportConstant({{"value_int", int64_t{7}}}, /*opset=*/11),
              StatusIs(kUnimplemented, HasSubstr("'value_int' is not known")));
  EXPECT_THAT(ImportConstant({{"value", FloatTensor{{3}, {1}}}}),
              StatusIs(kInvalid, HasSubstr("node 'c' (Constant): attribute 'value': raw_data must have 12 bytes")));
}

}  // namespace
}  // namespace stillwave::onnx_import
