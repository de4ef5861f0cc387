// The operators without a window: element-wise, linear, normalizing, reducing.
#include <limits>
#include <string>
#include <vector>

#include "tests/server/onnx/converter_test.h"

namespace stillwave::onnx_import {
namespace {

using testing::BoolTensor;

TEST(ConvertElementwise, ReadsEveryUnaryKind) {
  using graph::UnaryKind;
  for (const auto& [op, kind] : std::vector<std::pair<std::string, UnaryKind>>{{"Relu", UnaryKind::kRelu},
                                                                               {"LeakyRelu", UnaryKind::kLeakyRelu},
                                                                               {"Elu", UnaryKind::kElu},
                                                                               {"Sigmoid", UnaryKind::kSigmoid},
                                                                               {"Tanh", UnaryKind::kTanh},
                                                                               {"Abs", UnaryKind::kAbs},
                                                                               {"Exp", UnaryKind::kExp},
                                                                               {"Log", UnaryKind::kLog},
                                                                               {"Neg", UnaryKind::kNeg},
                                                                               {"Sqrt", UnaryKind::kSqrt}}) {
    SCOPED_TRACE(op);
    const auto graph = ImportOneNode(17, op, {}, {});
    ASSERT_THAT(graph, IsOk());
    EXPECT_EQ(LastOp<graph::Unary>(graph).kind, kind);
  }
}

TEST(ConvertElementwise, ReadsEveryBinaryKind) {
  using graph::BinaryKind;
  for (const auto& [op, kind] : std::vector<std::pair<std::string, BinaryKind>>{{"Add", BinaryKind::kAdd},
                                                                                {"Sub", BinaryKind::kSub},
                                                                                {"Mul", BinaryKind::kMul},
                                                                                {"Div", BinaryKind::kDiv}}) {
    SCOPED_TRACE(op);
    const auto graph = ImportOneNode(7, op, {Iota({3, 1})}, {});
    ASSERT_THAT(graph, IsOk());
    EXPECT_EQ(LastOp<graph::Binary>(graph).kind, kind);
  }
}

TEST(ConvertElementwise, AlphaHasItsOperatorsDefault) {
  EXPECT_FLOAT_EQ(LastOp<graph::Unary>(ImportOneNode(17, "LeakyRelu", {}, {})).alpha, 0.01F);
  EXPECT_FLOAT_EQ(LastOp<graph::Unary>(ImportOneNode(17, "Elu", {}, {})).alpha, 1);
  EXPECT_FLOAT_EQ(LastOp<graph::Unary>(ImportOneNode(17, "Elu", {}, {{"alpha", 0.3F}})).alpha, 0.3F);
  EXPECT_THAT(ImportOneNode(17, "Elu", {}, {{"alpha", std::numeric_limits<float>::quiet_NaN()}}),
              StatusIs(kInvalid, HasSubstr("'alpha' must be finite")));
}

TEST(ConvertLinear, ReadsGemm) {
  const auto graph = ImportOneNode(17, "Gemm", {Iota({2, 4}), Iota({2})},
                                   {{"alpha", 0.5F}, {"beta", 2.0F}, {"transA", int64_t{1}}, {"transB", int64_t{1}}});
  ASSERT_THAT(graph, IsOk());
  const auto& gemm = LastOp<graph::Gemm>(graph);
  EXPECT_EQ(gemm.alpha, 0.5F);
  EXPECT_EQ(gemm.beta, 2.0F);
  EXPECT_TRUE(gemm.transpose_a);
  EXPECT_TRUE(gemm.transpose_b);
}

TEST(ConvertLinear, GemmNeedsItsBiasBeforeOpset11) {
  EXPECT_THAT(ImportOneNode(11, "Gemm", {Iota({8, 4})}, {}), IsOk());
  EXPECT_THAT(ImportOneNode(10, "Gemm", {Iota({8, 4})}, {}),
              StatusIs(kInvalid, HasSubstr("must have 3 inputs; has 2")));
  EXPECT_THAT(ImportOneNode(9, "MatMul", {Iota({8, 4})}, {}), IsOk());
}

// x {N, 3, 8} and the four parameters.
absl::StatusOr<graph::Graph> ImportNorm(int64_t opset, const std::vector<Attr>& attributes,
                                        const std::vector<std::string>& outputs = {"y"}) {
  return ModelBuilder(opset)
      .Input("x", {0, 3, 8})
      .Weight("p", Iota({3}))
      .Node("BatchNormalization", {"x", "p", "p", "p", "p"}, outputs, attributes, "bn")
      .Output("y")
      .Import();
}

TEST(ConvertBatchNormalization, ReadsEpsilonInEveryOpset) {
  for (const int64_t opset : {7, 8, 9, 13, 14, 15, 22}) {
    const auto graph = ImportNorm(opset, {{"epsilon", 0.25F}, {"momentum", 0.9F}});
    ASSERT_THAT(graph, IsOk()) << opset;
    EXPECT_EQ(LastOp<graph::BatchNormalization>(graph).epsilon, 0.25F);
  }
  EXPECT_FLOAT_EQ(LastOp<graph::BatchNormalization>(ImportNorm(17, {})).epsilon, 1e-5F);
}

TEST(ConvertBatchNormalization, RefusesTrainingInEverySpellingWithTheCure) {
  const auto training =
      StatusIs(kNotFrozen, ::testing::AllOf(HasSubstr("node 'bn' (BatchNormalization): "), HasSubstr("model.eval()")));
  EXPECT_THAT(ImportNorm(15, {{"training_mode", int64_t{1}}}), training);
  EXPECT_THAT(ImportNorm(15, {{"training_mode", int64_t{1}}}, {"y", "m", "v"}), training);
  // Before opset 14 the outputs alone say it, also where nobody reads them.
  EXPECT_THAT(ImportNorm(9, {}, {"y", "m", "v", "sm", "sv"}), training);
  EXPECT_THAT(ImportNorm(15, {}, {"y", "m", "v"}), training);
}

TEST(ConvertBatchNormalization, TakesOutputsThatAreLeftOut) {
  EXPECT_THAT(ImportNorm(9, {}, {"y", "", "", "", ""}), IsOk());
  EXPECT_THAT(ImportNorm(15, {{"training_mode", int64_t{0}}}), IsOk());
}

TEST(ConvertBatchNormalization, RefusesStatisticsPerActivation) {
  EXPECT_THAT(ImportNorm(7, {{"spatial", int64_t{1}}}), IsOk());
  EXPECT_THAT(ImportNorm(7, {{"spatial", int64_t{0}}}), StatusIs(kUnimplemented, HasSubstr("spatial must be 1")));
  EXPECT_THAT(ImportNorm(9, {{"spatial", int64_t{1}}}), StatusIs(kUnimplemented, HasSubstr("'spatial'")));
}

TEST(ConvertSoftmax, KnowsBothMeaningsOfAxis) {
  const auto old = ImportOneNode(11, "Softmax", {}, {});
  ASSERT_THAT(old, IsOk());
  EXPECT_EQ(LastOp<graph::Softmax>(old).axis, 1);
  EXPECT_TRUE(LastOp<graph::Softmax>(old).flatten_to_2d);
  const auto now = ImportOneNode(13, "LogSoftmax", {}, {});
  ASSERT_THAT(now, IsOk());
  EXPECT_EQ(LastOp<graph::Softmax>(now).axis, -1);
  EXPECT_FALSE(LastOp<graph::Softmax>(now).flatten_to_2d);
  EXPECT_TRUE(LastOp<graph::Softmax>(now).log);
  EXPECT_EQ(LastOp<graph::Softmax>(ImportOneNode(13, "Softmax", {}, {{"axis", int64_t{2}}})).axis, 2);
}

TEST(ConvertReduce, TurnsTheAxesAttributeIntoAnInput) {
  for (const auto& [op, opset] : {std::pair(std::string("ReduceMean"), 17), {"ReduceMax", 17}, {"ReduceSum", 12}}) {
    const auto graph = ImportOneNode(opset, op, {}, {{"axes", Ints{-1, 1}}, {"keepdims", int64_t{0}}});
    ASSERT_THAT(graph, IsOk());
    EXPECT_FALSE(LastOp<graph::Reduce>(graph).keep_dims);
    EXPECT_THAT(Int64Input(graph, 1), ElementsAre(-1, 1));
  }
}

TEST(ConvertReduce, KeepsTheAxesInputOfLaterOpsets) {
  const auto graph = ImportOneNode(18, "ReduceMean", {Int64Tensor{{1}, {2}}}, {{"noop_with_empty_axes", int64_t{1}}});
  ASSERT_THAT(graph, IsOk());
  EXPECT_EQ(LastOp<graph::Reduce>(graph).kind, graph::ReduceKind::kMean);
  EXPECT_TRUE(LastOp<graph::Reduce>(graph).keep_dims);
  EXPECT_TRUE(LastOp<graph::Reduce>(graph).noop_with_empty_axes);
  EXPECT_THAT(Int64Input(graph, 1), ElementsAre(2));
  EXPECT_EQ(LastOp<graph::Reduce>(ImportOneNode(13, "ReduceSum", {}, {})).kind, graph::ReduceKind::kSum);
  EXPECT_EQ(LastOp<graph::Reduce>(ImportOneNode(18, "ReduceMax", {}, {})).kind, graph::ReduceKind::kMax);
}

TEST(ConvertReduce, RefusesTheSpellingOfAnotherOpset) {
  EXPECT_THAT(ImportOneNode(18, "ReduceMean", {}, {{"axes", Ints{1}}}), StatusIs(kUnimplemented, HasSubstr("'axes'")));
  EXPECT_THAT(ImportOneNode(17, "ReduceMean", {Int64Tensor{{1}, {2}}}, {}),
              StatusIs(kInvalid, HasSubstr("must have 1 inputs; has 2")));
}

absl::StatusOr<graph::Graph> ImportDropout(const BoolTensor& training) {
  return ModelBuilder(13)
      .Input("x", {0, 3})
      .Weight("ratio", FloatTensor{{}, {0.5F}})
      .Weight("training", training)
      .Node("Dropout", {"x", "ratio", "training"}, {"y", "mask"}, {{"seed", int64_t{7}}}, "drop")
      .Output("y")
      .Import();
}

TEST(ConvertDropout, KeepsOnlyTheData) {
  const auto graph = ImportDropout({{}, {0}});
  ASSERT_THAT(graph, IsOk());
  EXPECT_THAT(graph->nodes().back().inputs, SizeIs(1));
  EXPECT_THAT(graph->nodes().back().outputs, SizeIs(1));
  EXPECT_THAT(ImportOneNode(7, "Dropout", {}, {{"ratio", 0.2F}}), IsOk());
  EXPECT_THAT(ImportOneNode(12, "Dropout", {}, {}), IsOk());
}

TEST(ConvertDropout, RefusesTrainingWithTheCure) {
  const auto training =
      StatusIs(kNotFrozen, ::testing::AllOf(HasSubstr("node 'drop' (Dropout): "), HasSubstr("model.eval()")));
  EXPECT_THAT(ImportDropout({{}, {1}}), training);
  EXPECT_THAT(ModelBuilder(13)
                  .Input("x", {0, 3})
                  .Input("training", {1})
                  .Node("Dropout", {"x", "", "training"}, {"y"}, {}, "drop")
                  .Output("y")
                  .Import(),
              training);
  EXPECT_THAT(ModelBuilder(13)
                  .Input("x", {0, 3})
                  .Node("Dropout", {"x"}, {"y", "mask"}, {}, "drop")
                  .Output("y")
                  .Output("mask")
                  .Import(),
              training);
}

TEST(ConvertDropout, SeesTheTrainingInputThroughConstantAndIdentity) {
  const auto with = [](int32_t value) {
    return ModelBuilder(13)
        .Input("x", {0, 3})
        .Node("Constant", {}, {"c"}, {{"value", BoolTensor{{}, {value}}}})
        .Node("Identity", {"c"}, {"training"})
        .Node("Dropout", {"x", "", "training"}, {"y"}, {}, "drop")
        .Output("y")
        .Import();
  };
  EXPECT_THAT(with(0), IsOk());
  EXPECT_THAT(with(1), StatusIs(kNotFrozen, HasSubstr("training_mode is true")));
}

TEST(ConvertDropout, RefusesATrainingInputThatIsNoFlag) {
  EXPECT_THAT(ImportDropout({{2}, {0, 0}}), StatusIs(kInvalid, HasSubstr("must be one BOOL; is BOOL [2]")));
}

}  // namespace
}  // namespace stillwave::onnx_import
