// Output types against the reference interpreter, and every refusal of operators that compute.
#include "server/graph/shape_inference.h"

#include "gtest/gtest.h"
#include "server/graph/graph_text.h"
#include "tests/support/network_builder.h"
#include "tests/support/op_cases.h"
#include "tests/support/status_matchers.h"

namespace stillwave::graph {
namespace {

using tensor::DataType;
using tensor::Shape;
using test_support::IsOk;
using test_support::NetworkBuilder;
using test_support::OpCase;
using test_support::RefTensor;
using test_support::StatusIs;
using test_support::UniformWindow;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;

TEST(InferNodeTest, AgreesWithTheReferenceInterpreterOnEveryOperator) {
  for (const OpCase& op_case : test_support::AllOpCases()) {
    const absl::StatusOr<RefTensor> want = test_support::Interpret(op_case);
    ASSERT_THAT(want, IsOk()) << op_case.name;
    const Graph graph = test_support::SingleNodeGraph(op_case);
    const absl::StatusOr<TensorType> got = InferNode(graph, graph.nodes()[0]);
    ASSERT_THAT(got, IsOk()) << op_case.name;
    EXPECT_EQ(got->shape, want->shape) << op_case.name;
    EXPECT_EQ(got->data_type, want->data_type) << op_case.name;
  }
}

InputType Float(const Shape& shape) { return {true, DataType::kFloat32, shape, nullptr}; }
InputType Int64(const Shape& shape) { return {true, DataType::kInt64, shape, nullptr}; }

TEST(InferNodeTest, PutsTheNodesNameInFrontOfARefusal) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {1, 2});
  build.Node(Softmax{.axis = 5}, {x});
  EXPECT_THAT(InferNode(build.graph(), build.graph().nodes()[0]),
              StatusIs(kInvalid, HasSubstr("Softmax 'Softmax_0': axis must be between -2 and 1; was 5")));
}

TEST(InferConvTest, RefusesWeightsThatDoNotFitTheInput) {
  const Conv conv{.window = UniformWindow(1, 3)};
  EXPECT_THAT(InferOutput(conv, {Float({1, 4, 9}), Float({8, 3, 3})}),
              StatusIs(kInvalid, HasSubstr("want 3 input channels; the input has 4")));
  EXPECT_THAT(InferOutput(conv, {Float({1, 4, 9}), Float({8, 4, 3, 3})}), StatusIs(kInvalid, HasSubstr("rank 3")));
  EXPECT_THAT(InferOutput(conv, {Float({1, 4, 9}), Float({8, 4, 5})}),
              StatusIs(kInvalid, HasSubstr("kernel_shape says 3, the weights are [8,4,5]")));
  EXPECT_THAT(InferOutput(conv, {Float({1, 4, 9}), Float({8, 4, 3}), Float({7})}),
              StatusIs(kInvalid, HasSubstr("bias must have shape [8]; was [7]")));
  EXPECT_THAT(InferOutput(conv, {Float({1, 4, 2}), Float({8, 4, 3})}), StatusIs(kInvalid, HasSubstr("does not fit")));
}

TEST(InferConvTest, RefusesGroupsThatDoNotDivideTheChannels) {
  for (const int64_t group : {0, -1, 3}) {
    const Conv conv{.window = UniformWindow(1, 3), .group = group};
    EXPECT_THAT(InferOutput(conv, {Float({1, 4, 9}), Float({8, 4, 3})}),
                StatusIs(kInvalid, HasSubstr("group must be positive and divide")))
        << group;
  }
  EXPECT_THAT(InferOutput(Conv{.window = UniformWindow(1, 1)}, {Float({1, 4, 9}), Float({0, 4, 1})}),
              StatusIs(kInvalid, HasSubstr("0 output channels")));
}

TEST(InferOutputTest, ComputesInFloatOnly) {
  const InputType x = Int64({1, 4, 9});
  EXPECT_THAT(InferOutput(Conv{.window = UniformWindow(1, 1)}, {x, Float({1, 4, 1})}),
              StatusIs(kUnimplemented, HasSubstr("FP32 only; an input is INT64")));
  for (const Op& op :
       {Op(Pool{.window = UniformWindow(1, 1)}), Op(GlobalPool{}), Op(Softmax{}), Op(Unary{.kind = UnaryKind::kElu})}) {
    EXPECT_THAT(InferOutput(op, {x}), StatusIs(kUnimplemented, HasSubstr("INT64"))) << OpName(op);
  }
  const InputType half{true, DataType::kFloat16, {2, 2}, nullptr};
  EXPECT_THAT(InferOutput(Gemm{}, {half, half}), StatusIs(kUnimplemented, HasSubstr("FP16")));
  EXPECT_THAT(InferOutput(Binary{}, {half, half}), StatusIs(kUnimplemented, HasSubstr("FP16")));
}

TEST(InferOutputTest, ComputesOnIntegersWhatOnnxDefinesForThem) {
  for (const UnaryKind kind : {UnaryKind::kAbs, UnaryKind::kNeg, UnaryKind::kSign, UnaryKind::kRelu}) {
    EXPECT_THAT(InferOutput(Unary{.kind = kind}, {Int64({2})}), IsOk());
  }
  const InputType natural{true, DataType::kUint8, {2}, nullptr};
  EXPECT_THAT(InferOutput(Unary{.kind = UnaryKind::kNeg}, {natural}),
              StatusIs(kUnimplemented, HasSubstr("an input is UINT8")));
  EXPECT_THAT(InferOutput(Reduce{.kind = ReduceKind::kMax}, {natural}), IsOk());
  EXPECT_THAT(InferOutput(Reduce{.kind = ReduceKind::kSum}, {natural}),
              StatusIs(kUnimplemented, HasSubstr("an input is UINT8")));
}

TEST(InferBatchNormalizationTest, RefusesParametersOfAnotherLengthByName) {
  const InputType c = Float({4});
  const auto infer = [&](const InputType& scale, const InputType& bias, const InputType& mean,
                         const InputType& variance) {
    return InferOutput(BatchNormalization{}, {Float({1, 4, 9}), scale, bias, mean, variance});
  };
  EXPECT_THAT(infer(c, c, c, c), IsOk());
  EXPECT_THAT(infer(Float({3}), c, c, c), StatusIs(kInvalid, HasSubstr("scale must have shape [4]; was [3]")));
  EXPECT_THAT(infer(c, Float({1, 4}), c, c), StatusIs(kInvalid, HasSubstr("bias must have shape [4]; was [1,4]")));
  EXPECT_THAT(infer(c, c, Float({}), c), StatusIs(kInvalid, HasSubstr("mean")));
  EXPECT_THAT(infer(c, c, c, Float({5})), StatusIs(kInvalid, HasSubstr("variance")));
  EXPECT_THAT(InferOutput(BatchNormalization{}, {Float({4}), c, c, c, c}),
              StatusIs(kInvalid, HasSubstr("N×C or more; was [4]")));
}

TEST(InferPoolTest, RefusesPaddingAsLargeAsTheWindow) {
  EXPECT_THAT(InferOutput(Pool{.window = UniformWindow(1, 2, 1, 1, 2, 0)}, {Float({1, 1, 9})}),
              StatusIs(kInvalid, HasSubstr("pads must be smaller than the kernel")));
  EXPECT_THAT(InferOutput(Pool{.window = UniformWindow(1, 2)}, {Float({1, 1, 1})}),
              StatusIs(kInvalid, HasSubstr("does not fit")));
}

TEST(InferGlobalPoolTest, NeedsSpatialAxesThatAreNotEmpty) {
  EXPECT_THAT(InferOutput(GlobalPool{}, {Float({1, 3})}), StatusIs(kInvalid, HasSubstr("was [1,3]")));
  EXPECT_THAT(InferOutput(GlobalPool{}, {Float({1, 3, 0})}), StatusIs(kInvalid, HasSubstr("empty axis")));
}

TEST(InferGemmTest, RefusesMatricesThatDoNotFit) {
  EXPECT_THAT(InferOutput(Gemm{}, {Float({2, 3}), Float({4, 5})}),
              StatusIs(kInvalid, HasSubstr("A gives 3 features, B wants 4")));
  EXPECT_THAT(InferOutput(Gemm{}, {Float({2, 3, 1}), Float({4, 5})}), StatusIs(kInvalid, HasSubstr("rank 2")));
  EXPECT_THAT(InferOutput(Gemm{}, {Float({2, 3}), Float({3, 5}), Float({2})}),
              StatusIs(kInvalid, HasSubstr("do not broadcast")));
  EXPECT_THAT(InferOutput(Gemm{}, {Float({1, 3}), Float({3, 5}), Float({2, 5})}),
              StatusIs(kInvalid, HasSubstr("C [2,5] does not broadcast to [1,5]")));
}

TEST(InferMatMulTest, RefusesScalarsAndUnequalInnerLengths) {
  EXPECT_THAT(InferOutput(MatMul{}, {Float({}), Float({2})}), StatusIs(kInvalid, HasSubstr("no scalars")));
  EXPECT_THAT(InferOutput(MatMul{}, {Float({2, 3}), Float({4, 5})}), StatusIs(kInvalid, HasSubstr("gives 3 features")));
  EXPECT_THAT(InferOutput(MatMul{}, {Float({2, 2, 3}), Float({5, 3, 1})}),
              StatusIs(kInvalid, HasSubstr("do not broadcast: 2 against 5")));
}

TEST(InferBinaryTest, RefusesMixedTypesAndShapesThatDoNotBroadcast) {
  EXPECT_THAT(InferOutput(Binary{}, {Float({2}), Int64({2})}),
              StatusIs(kInvalid, HasSubstr("one type; are FP32 and INT64")));
  EXPECT_THAT(InferOutput(Binary{}, {Float({2, 3}), Float({2})}),
              StatusIs(kInvalid, AllOf(HasSubstr("[2,3] and [2]"), HasSubstr("3 against 2"))));
}

TEST(InferSoftmaxTest, RefusesAxesOutOfRange) {
  for (const bool flatten : {false, true}) {
    EXPECT_THAT(InferOutput(Softmax{.axis = 2, .flatten_to_2d = flatten}, {Float({1, 2})}),
                StatusIs(kInvalid, HasSubstr("was 2")));
    EXPECT_THAT(InferOutput(Softmax{.axis = -3, .flatten_to_2d = flatten}, {Float({1, 2})}),
                StatusIs(kInvalid, HasSubstr("was -3")));
  }
}

TEST(InferOutputTest, BoundsTheSizeOfAnOutput) {
  EXPECT_THAT(InferOutput(Binary{}, {Float({1 << 20, 1}), Float({1, 1 << 20})}),
              StatusIs(kInvalid, HasSubstr("larger than the limit")));
}

}  // namespace
}  // namespace stillwave::graph
