#include "server/graph/graph_text.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/network_builder.h"

namespace stillwave::graph {
namespace {

using test_support::NetworkBuilder;
using test_support::UniformWindow;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(GraphTextTest, ShowsInputsConstantsInUseNodesAndOutputs) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {tensor::kDynamicDim, 2, tensor::kDynamicDim});
  build.RandomConstant({7, 7, 7}, 1);
  build.Output(build.Conv(x, 2, 4, UniformWindow(1, 3, 2, 1, 1, 0), 2, /*bias=*/false));
  const std::string text = ToText(build.graph());
  EXPECT_THAT(text, HasSubstr("input  x FP32 [-1,2,-1]\n"));
  EXPECT_THAT(text, HasSubstr("[4,1,3]"));
  EXPECT_THAT(text, Not(HasSubstr("[7,7,7]")));
  EXPECT_THAT(text, HasSubstr("= Conv(x, constant_2) kernel=[3] strides=[2] pads=[1]..[0] group=2 ->"));
  EXPECT_THAT(text, HasSubstr("output Conv_0\n"));
}

TEST(GraphTextTest, MarksOptionalInputsThatAreLeftOut) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {3});
  build.Output(build.Node(Pad{}, {x, build.Integers({1, 1}), kNoValue}));
  EXPECT_THAT(ToText(build.graph()), HasSubstr("= Pad(x, constant_1, -)"));
}

TEST(GraphTextTest, NamesANodeWithItsOperator) {
  EXPECT_EQ(Describe({"blocks.1/norm", BatchNormalization{}, {}, {}}), "BatchNormalization 'blocks.1/norm'");
}

TEST(OpTest, HasOnnxNamesForEveryKind) {
  EXPECT_EQ(OpName(Pool{.kind = PoolKind::kAverage}), "AveragePool");
  EXPECT_EQ(OpName(GlobalPool{PoolKind::kMax}), "GlobalMaxPool");
  EXPECT_EQ(OpName(Softmax{.log = true}), "LogSoftmax");
  EXPECT_EQ(OpName(Reduce{ReduceKind::kSum}), "ReduceSum");
  EXPECT_EQ(OpName(Unary{UnaryKind::kLeakyRelu}), "LeakyRelu");
  EXPECT_EQ(OpName(Binary{BinaryKind::kDiv}), "Div");
  EXPECT_EQ(OpName(ShapeOf{}), "Shape");
}

TEST(OpTest, SaysOnlyAttributesThatDifferFromTheDefault) {
  EXPECT_EQ(OpAttributes(Conv{.window = UniformWindow(1, 3)}), "kernel=[3]");
  Conv conv{.window = UniformWindow(2, 3, 2, 4), .group = 5, .fused_relu = true};
  conv.window.auto_pad = AutoPad::kSameLower;
  EXPECT_EQ(OpAttributes(conv), "kernel=[3,3] strides=[2,2] dilations=[4,4] auto_pad=SAME_LOWER group=5 +relu");
  EXPECT_EQ(OpAttributes(Pool{.window = UniformWindow(1, 2), .ceil_mode = true, .count_include_pad = true}),
            "kernel=[2] ceil_mode count_include_pad");
  EXPECT_EQ(OpAttributes(BatchNormalization{.epsilon = 0.5F, .fused_relu = true}), "epsilon=0.5 +relu");
  EXPECT_EQ(OpAttributes(Gemm{.alpha = 2, .transpose_b = true}), "alpha=2 transB");
  EXPECT_EQ(OpAttributes(Gemm{}), "");
  EXPECT_EQ(OpAttributes(Unary{UnaryKind::kElu, 1.5F}), "alpha=1.5");
  EXPECT_EQ(OpAttributes(Unary{UnaryKind::kRelu}), "");
  EXPECT_EQ(OpAttributes(Softmax{.axis = 1, .flatten_to_2d = true}), "axis=1 flattened");
  EXPECT_EQ(OpAttributes(Cast{tensor::DataType::kInt32}), "to=INT32");
  EXPECT_EQ(OpAttributes(Transpose{{0, 2, 1}}), "perm=[0,2,1]");
  EXPECT_EQ(OpAttributes(Identity{}), "");
}

}  // namespace
}  // namespace stillwave::graph
