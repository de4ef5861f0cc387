// The interpreter against answers worked out by hand. reference_models_test.cc holds it against PyTorch and ONNX.
#include "tests/support/reference_interpreter.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/network_builder.h"

namespace stillwave::test_support {
namespace {

using tensor::Shape;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

RefTensor Evaluated(const graph::Op& op, std::vector<RefTensor> inputs) {
  std::vector<const RefTensor*> pointers;
  for (const RefTensor& input : inputs) pointers.push_back(&input);
  absl::StatusOr<RefTensor> result = InterpretOp(op, pointers);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : RefTensor{};
}

absl::Status Refusal(const graph::Op& op, std::vector<RefTensor> inputs) {
  std::vector<const RefTensor*> pointers;
  for (const RefTensor& input : inputs) pointers.push_back(&input);
  return InterpretOp(op, pointers).status();
}

RefTensor Row(std::vector<double> values) {
  const auto count = static_cast<int64_t>(values.size());
  return RealTensor(Shape({1, 1, count}), std::move(values));
}

RefTensor Integers(std::vector<int64_t> values) {
  const auto count = static_cast<int64_t>(values.size());
  return IntegerTensor(Shape({count}), std::move(values));
}

TEST(InterpretConvTest, CorrelatesWithoutFlippingTheKernelAndPadsEachSideByItsOwn) {
  graph::Conv conv{.window = UniformWindow(1, 3, 1, 1, 2, 0)};
  const RefTensor y = Evaluated(conv, {Row({1, 2, 3}), RealTensor({1, 1, 3}, {10, 100, 1000}), RealTensor({1}, {5})});
  EXPECT_THAT(y.reals, ElementsAre(1005, 2105, 3215));
}

TEST(InterpretConvTest, HonorsStrideAndDilation) {
  graph::Conv conv{.window = UniformWindow(1, 2, 2, 2)};
  const RefTensor y = Evaluated(conv, {Row({1, 2, 3, 4, 5}), RealTensor({1, 1, 2}, {1, 10})});
  EXPECT_THAT(y.reals, ElementsAre(31, 53));
}

TEST(InterpretConvTest, SplitsChannelsIntoGroups) {
  graph::Conv conv{.window = UniformWindow(1, 1), .group = 2};
  const RefTensor y = Evaluated(conv, {RealTensor({1, 2, 1}, {3, 5}), RealTensor({4, 1, 1}, {1, 2, 3, 4})});
  EXPECT_EQ(y.shape, Shape({1, 4, 1}));
  EXPECT_THAT(y.reals, ElementsAre(3, 6, 15, 20));
}

TEST(InterpretConvTest, PutsTheOddPaddingOfSameUpperAtTheEndAndOfSameLowerAtTheBeginning) {
  graph::Conv conv{.window = UniformWindow(1, 2)};
  conv.window.auto_pad = graph::AutoPad::kSameUpper;
  EXPECT_THAT(Evaluated(conv, {Row({1, 2}), RealTensor({1, 1, 2}, {1, 10})}).reals, ElementsAre(21, 2));
  conv.window.auto_pad = graph::AutoPad::kSameLower;
  EXPECT_THAT(Evaluated(conv, {Row({1, 2}), RealTensor({1, 1, 2}, {1, 10})}).reals, ElementsAre(10, 21));
  conv.window.auto_pad = graph::AutoPad::kValid;
  EXPECT_THAT(Evaluated(conv, {Row({1, 2}), RealTensor({1, 1, 2}, {1, 10})}).reals, ElementsAre(21));
}

TEST(InterpretConvTest, AppliesAFusedRelu) {
  graph::Conv conv{.window = UniformWindow(1, 1), .fused_relu = true};
  EXPECT_THAT(Evaluated(conv, {Row({-1, 1}), RealTensor({1, 1, 1}, {2})}).reals, ElementsAre(0, 2));
}

TEST(InterpretConvTest, RefusesWeightsThatDoNotFit) {
  graph::Conv conv{.window = UniformWindow(1, 3)};
  EXPECT_THAT(Refusal(conv, {Row({1, 2}), RealTensor({1, 1, 3}, {1, 1, 1})}).message(), HasSubstr("does not fit"));
  EXPECT_THAT(Refusal(conv, {Row({1, 2, 3}), RealTensor({1, 2, 3}, {1, 1, 1, 1, 1, 1})}).message(),
              HasSubstr("does not fit X"));
}

TEST(InterpretPoolTest, MaxIgnoresPaddingEvenWhenAllIsNegative) {
  graph::Pool pool{.kind = graph::PoolKind::kMax, .window = UniformWindow(1, 3, 2, 1, 1, 1)};
  EXPECT_THAT(Evaluated(pool, {Row({-5, -4, -3})}).reals, ElementsAre(-4, -3));
}

TEST(InterpretPoolTest, AverageCountsPaddingOnlyWhenTold) {
  graph::Pool pool{.kind = graph::PoolKind::kAverage, .window = UniformWindow(1, 2, 2, 1, 1, 0)};
  EXPECT_THAT(Evaluated(pool, {Row({4, 6, 8})}).reals, ElementsAre(4, 7));
  pool.count_include_pad = true;
  EXPECT_THAT(Evaluated(pool, {Row({4, 6, 8})}).reals, ElementsAre(2, 7));
}

TEST(InterpretPoolTest, CeilModeAddsAPartialWindowWhoseMissingPartIsNotCounted) {
  graph::Pool pool{.kind = graph::PoolKind::kAverage,
                   .window = UniformWindow(1, 2, 2),
                   .ceil_mode = true,
                   .count_include_pad = true};
  EXPECT_THAT(Evaluated(pool, {Row({2, 4, 6})}).reals, ElementsAre(3, 6));
}

TEST(InterpretPoolTest, CeilModeDropsAWindowThatStartsInTheEndPadding) {
  graph::Pool pool{.kind = graph::PoolKind::kMax, .window = UniformWindow(1, 2, 2, 1, 0, 1), .ceil_mode = true};
  EXPECT_THAT(Evaluated(pool, {Row({1, 2})}).reals, ElementsAre(2));
}

TEST(InterpretGlobalPoolTest, ReducesEverySpatialAxis) {
  const RefTensor x = RealTensor({1, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 12});
  const RefTensor mean = Evaluated(graph::GlobalPool{graph::PoolKind::kAverage}, {x});
  EXPECT_EQ(mean.shape, Shape({1, 2, 1, 1}));
  EXPECT_THAT(mean.reals, ElementsAre(2.5, 7.5));
  EXPECT_THAT(Evaluated(graph::GlobalPool{graph::PoolKind::kMax}, {x}).reals, ElementsAre(4, 12));
}

TEST(InterpretBatchNormalizationTest, UsesTheStoredStatisticsPerChannel) {
  const graph::BatchNormalization op{.epsilon = 0};
  const RefTensor y = Evaluated(op, {RealTensor({1, 2, 2}, {1, 3, 10, 20}), RealTensor({2}, {2, -1}),
                                     RealTensor({2}, {0.5, 0}), RealTensor({2}, {1, 10}), RealTensor({2}, {4, 25})});
  EXPECT_THAT(y.reals, ElementsAre(0.5, 2.5, 0, -2));
}

TEST(InterpretGemmTest, TransposesScalesAndBroadcastsC) {
  const graph::Gemm op{.alpha = 2, .beta = 10, .transpose_a = true, .transpose_b = true};
  const RefTensor y =
      Evaluated(op, {RealTensor({2, 1}, {1, 2}), RealTensor({2, 2}, {1, 2, 3, 4}), RealTensor({2}, {1, -1})});
  EXPECT_THAT(y.reals, ElementsAre(20, 12));
}

TEST(InterpretMatMulTest, BroadcastsBatchesAndDropsTheAxisOfAVector) {
  const RefTensor a = RealTensor({2, 1, 2}, {1, 2, 3, 4});
  const RefTensor y = Evaluated(graph::MatMul{}, {a, RealTensor({2, 1}, {1, 10})});
  EXPECT_EQ(y.shape, Shape({2, 1, 1}));
  EXPECT_THAT(y.reals, ElementsAre(21, 43));
  const RefTensor dot = Evaluated(graph::MatMul{}, {RealTensor({2}, {1, 2}), RealTensor({2}, {3, 4})});
  EXPECT_EQ(dot.shape, Shape({}));
  EXPECT_THAT(dot.reals, ElementsAre(11));
}

TEST(InterpretSoftmaxTest, RunsOverOneAxisOrOverAllFromItOn) {
  const RefTensor x = RealTensor({1, 2, 2}, {0, 0, 0, 0});
  EXPECT_THAT(Evaluated(graph::Softmax{.axis = 1}, {x}).reals, ElementsAre(0.5, 0.5, 0.5, 0.5));
  EXPECT_THAT(Evaluated(graph::Softmax{.axis = 1, .flatten_to_2d = true}, {x}).reals,
              ElementsAre(0.25, 0.25, 0.25, 0.25));
  EXPECT_THAT(Evaluated(graph::Softmax{.axis = -1, .log = true}, {x}).reals,
              Pointwise(DoubleNear(1e-15), std::vector<double>(4, -std::log(2.0))));
}

TEST(InterpretReduceTest, FoldsTheNamedAxesOrAll) {
  const RefTensor x = RealTensor({2, 2}, {1, 2, 3, 10});
  EXPECT_THAT(Evaluated(graph::Reduce{graph::ReduceKind::kSum}, {x, Integers({-1})}).reals, ElementsAre(3, 13));
  const RefTensor all = Evaluated(graph::Reduce{.kind = graph::ReduceKind::kMean, .keep_dims = false}, {x});
  EXPECT_EQ(all.shape, Shape({}));
  EXPECT_THAT(all.reals, ElementsAre(4));
  const graph::Reduce noop{.kind = graph::ReduceKind::kMax, .noop_with_empty_axes = true};
  EXPECT_THAT(Evaluated(noop, {x, Integers({})}).reals, ElementsAre(1, 2, 3, 10));
}

TEST(InterpretUnaryTest, ComputesEveryKind) {
  const auto run = [](graph::UnaryKind kind, float alpha) {
    return Evaluated(graph::Unary{kind, alpha}, {RealTensor({2}, {-1, 4})}).reals;
  };
  EXPECT_THAT(run(graph::UnaryKind::kRelu, 0), ElementsAre(0, 4));
  EXPECT_THAT(run(graph::UnaryKind::kLeakyRelu, 0.5), ElementsAre(-0.5, 4));
  EXPECT_THAT(run(graph::UnaryKind::kElu, 2), ElementsAre(2 * std::expm1(-1.0), 4));
  EXPECT_THAT(run(graph::UnaryKind::kSigmoid, 0), ElementsAre(1 / (1 + std::exp(1.0)), 1 / (1 + std::exp(-4.0))));
  EXPECT_THAT(run(graph::UnaryKind::kTanh, 0), ElementsAre(std::tanh(-1.0), std::tanh(4.0)));
  EXPECT_THAT(run(graph::UnaryKind::kAbs, 0), ElementsAre(1, 4));
  EXPECT_THAT(run(graph::UnaryKind::kNeg, 0), ElementsAre(1, -4));
  EXPECT_THAT(run(graph::UnaryKind::kExp, 0), ElementsAre(std::exp(-1.0), std::exp(4.0)));
  EXPECT_EQ(run(graph::UnaryKind::kLog, 0)[1], std::log(4.0));
  EXPECT_EQ(run(graph::UnaryKind::kSqrt, 0)[1], 2);
}

TEST(InterpretBinaryTest, BroadcastsBothWaysAndTruncatesIntegerDivision) {
  const RefTensor y =
      Evaluated(graph::Binary{graph::BinaryKind::kSub}, {RealTensor({2, 1}, {10, 20}), RealTensor({3}, {1, 2, 3})});
  EXPECT_EQ(y.shape, Shape({2, 3}));
  EXPECT_THAT(y.reals, ElementsAre(9, 8, 7, 19, 18, 17));
  EXPECT_THAT(Evaluated(graph::Binary{graph::BinaryKind::kDiv}, {Integers({-7, 7}), Integers({2, 2})}).integers,
              ElementsAre(-3, 3));
}

TEST(InterpretReshapeTest, CopiesZerosAndInfersMinusOne) {
  const RefTensor x = RealTensor({2, 3, 2}, std::vector<double>(12, 1));
  EXPECT_EQ(Evaluated(graph::Reshape{}, {x, Integers({0, -1})}).shape, Shape({2, 6}));
  EXPECT_THAT(Refusal(graph::Reshape{}, {x, Integers({5, 2})}).message(), HasSubstr("cannot reshape [2,3,2] to [5,2]"));
  EXPECT_EQ(Evaluated(graph::Flatten{-1}, {x}).shape, Shape({6, 2}));
  EXPECT_EQ(Evaluated(graph::Flatten{0}, {x}).shape, Shape({1, 12}));
}

TEST(InterpretSqueezeTest, DropsAndAddsAxes) {
  const RefTensor x = RealTensor({1, 2, 1}, {1, 2});
  EXPECT_EQ(Evaluated(graph::Squeeze{}, {x}).shape, Shape({2}));
  EXPECT_EQ(Evaluated(graph::Squeeze{}, {x, Integers({-1})}).shape, Shape({1, 2}));
  EXPECT_THAT(Refusal(graph::Squeeze{}, {x, Integers({1})}).message(), HasSubstr("is not 1"));
  EXPECT_EQ(Evaluated(graph::Unsqueeze{}, {RealTensor({2}, {1, 2}), Integers({0, -1})}).shape, Shape({1, 2, 1}));
}

TEST(InterpretMovementTest, ConcatenatesTransposesAndExpands) {
  const RefTensor a = RealTensor({2, 1}, {1, 2});
  const RefTensor b = RealTensor({2, 2}, {3, 4, 5, 6});
  EXPECT_THAT(Evaluated(graph::Concat{-1}, {a, b}).reals, ElementsAre(1, 3, 4, 2, 5, 6));
  EXPECT_THAT(Evaluated(graph::Transpose{}, {b}).reals, ElementsAre(3, 5, 4, 6));
  EXPECT_THAT(Evaluated(graph::Expand{}, {a, Integers({1, 3})}).reals, ElementsAre(1, 1, 1, 2, 2, 2));
}

TEST(InterpretPadTest, PadsByConstantReflectionAndEdgeAndCutsByNegativeAmounts) {
  const RefTensor x = RealTensor({3}, {1, 2, 3});
  EXPECT_THAT(Evaluated(graph::Pad{}, {x, Integers({1, 2}), RealTensor({}, {9})}).reals, ElementsAre(9, 1, 2, 3, 9, 9));
  EXPECT_THAT(Evaluated(graph::Pad{}, {x, Integers({-1, 1})}).reals, ElementsAre(2, 3, 0));
  EXPECT_THAT(Evaluated(graph::Pad{graph::PadMode::kReflect}, {x, Integers({2, 1})}).reals,
              ElementsAre(3, 2, 1, 2, 3, 2));
  EXPECT_THAT(Evaluated(graph::Pad{graph::PadMode::kEdge}, {x, Integers({1, 2})}).reals, ElementsAre(1, 1, 2, 3, 3, 3));
}

TEST(InterpretSliceTest, ClampsBoundsAndWalksBackwards) {
  const RefTensor x = RealTensor({5}, {0, 1, 2, 3, 4});
  const auto slice = [&](int64_t start, int64_t end, int64_t step) {
    return Evaluated(graph::Slice{}, {x, Integers({start}), Integers({end}), Integers({0}), Integers({step})}).reals;
  };
  EXPECT_THAT(slice(1, INT64_MAX, 2), ElementsAre(1, 3));
  EXPECT_THAT(slice(-2, 100, 1), ElementsAre(3, 4));
  EXPECT_THAT(slice(-1, INT64_MIN, -2), ElementsAre(4, 2, 0));
  EXPECT_THAT(slice(3, 1, 1), ElementsAre());
  EXPECT_THAT(slice(10, 0, -2), ElementsAre(4, 2));
}

TEST(InterpretGatherTest, TakesByIndexAlsoFromTheEnd) {
  const RefTensor x = RealTensor({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(Evaluated(graph::Gather{1}, {x, Integers({-1, 0})}).reals, ElementsAre(3, 1, 6, 4));
  const RefTensor scalar = Evaluated(graph::Gather{0}, {x, IntegerTensor({}, {1})});
  EXPECT_EQ(scalar.shape, Shape({3}));
  EXPECT_THAT(Refusal(graph::Gather{0}, {x, Integers({2})}).message(), HasSubstr("outside of 2"));
}

TEST(InterpretShapeTest, GivesDimensionsAndFillsShapes) {
  const RefTensor x = RealTensor({1, 2, 3}, std::vector<double>(6, 0));
  EXPECT_THAT(Evaluated(graph::ShapeOf{}, {x}).integers, ElementsAre(1, 2, 3));
  EXPECT_THAT(Evaluated(graph::ShapeOf{.start = -2, .end = -1}, {x}).integers, ElementsAre(2));
  graph::ConstantOfShape fill;
  fill.value = std::make_shared<tensor::Tensor>(ToTensor(IntegerTensor({1}, {7})));
  EXPECT_THAT(Evaluated(fill, {Integers({2})}).integers, ElementsAre(7, 7));
}

TEST(InterpretCastTest, TruncatesAndWraps) {
  using tensor::DataType;
  EXPECT_THAT(Evaluated(graph::Cast{DataType::kInt64}, {RealTensor({2}, {-1.7, 2.9})}).integers, ElementsAre(-1, 2));
  EXPECT_THAT(Evaluated(graph::Cast{DataType::kUint8}, {Integers({257, -1})}).integers, ElementsAre(1, 255));
  EXPECT_THAT(Evaluated(graph::Cast{DataType::kBool}, {RealTensor({2}, {0.5, 0})}).integers, ElementsAre(1, 0));
  EXPECT_THAT(Evaluated(graph::Cast{DataType::kFloat16}, {RealTensor({2}, {2049, 1e9})}).reals,
              ElementsAre(2048, kInfinity));
}

TEST(InterpretTest, RunsAGraphAndNamesTheNodeThatFails) {
  NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {tensor::kDynamicDim, 1, tensor::kDynamicDim});
  build.Output(build.Relu(build.Add(x, x)));
  const auto result = Interpret(build.graph(), {Row({-1, 2})});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT((*result)[0].reals, ElementsAre(0, 4));

  build.Output(build.Node(graph::Concat{7}, {x}));
  EXPECT_THAT(Interpret(build.graph(), {Row({1})}).status().message(), HasSubstr("Concat_2: axis 7"));
  EXPECT_THAT(Interpret(build.graph(), {}).status().message(), HasSubstr("has 1 inputs; got 0"));
}

}  // namespace
}  // namespace stillwave::test_support
