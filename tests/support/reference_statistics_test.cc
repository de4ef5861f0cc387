// Element-wise, reducing and normalizing operators of the interpreter against answers worked out by hand.
#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/reference_interpreter.h"

namespace stillwave::test_support {
namespace {

using graph::BinaryKind;
using graph::ReduceKind;
using graph::UnaryKind;
using tensor::Shape;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pointwise;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

RefTensor Evaluated(const graph::Op& op, const std::vector<RefTensor>& inputs) {
  std::vector<const RefTensor*> pointers;
  for (const RefTensor& input : inputs) pointers.push_back(&input);
  absl::StatusOr<RefTensor> result = InterpretOp(op, pointers);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : RefTensor{};
}

std::vector<double> Reduced(ReduceKind kind, const RefTensor& x) {
  return Evaluated(graph::Reduce{kind}, {x, IntegerTensor({1}, {1})}).reals;
}

TEST(InterpretUnaryTest, KnowsWhereActivationsBend) {
  const RefTensor x = RealTensor({5}, {-4, -1, 0, 1, 4});
  EXPECT_THAT(Evaluated(graph::Unary{UnaryKind::kHardSwish}, {x}).reals,
              Pointwise(DoubleNear(1e-12), {0.0, -1.0 / 3, 0.0, 2.0 / 3, 4.0}));
  EXPECT_THAT(Evaluated(graph::Unary{UnaryKind::kThresholdedRelu, 1}, {x}).reals, ElementsAre(0, 0, 0, 0, 4));
  EXPECT_THAT(Evaluated(graph::Unary{UnaryKind::kClip, -2, 3}, {x}).reals, ElementsAre(-2, -1, 0, 1, 3));
  EXPECT_THAT(Evaluated(graph::Unary{UnaryKind::kSign}, {x}).reals, ElementsAre(-1, -1, 0, 1, 1));
}

TEST(InterpretBinaryTest, RemaindersTakeTheSignOfTheDivisorOrOfTheDividend) {
  const RefTensor a = IntegerTensor({4}, {7, -7, 7, -7});
  const RefTensor b = IntegerTensor({4}, {3, 3, -3, -3});
  EXPECT_THAT(Evaluated(graph::Binary{BinaryKind::kMod}, {a, b}).integers, ElementsAre(1, 2, -2, -1));
  EXPECT_THAT(Evaluated(graph::Binary{BinaryKind::kFmod}, {a, b}).integers, ElementsAre(1, -1, 1, -1));
}

TEST(InterpretBinaryTest, ComparisonsGiveFlagsAndPowKeepsItsBasesType) {
  const RefTensor less = Evaluated(graph::Binary{BinaryKind::kLess}, {RealTensor({2}, {1, 2}), RealTensor({}, {2})});
  EXPECT_EQ(less.data_type, tensor::DataType::kBool);
  EXPECT_THAT(less.integers, ElementsAre(1, 0));
  EXPECT_THAT(Evaluated(graph::Binary{BinaryKind::kPow}, {IntegerTensor({2}, {2, 9}), RealTensor({}, {0.5})}).integers,
              ElementsAre(1, 3));
}

TEST(InterpretReduceTest, KnowsEveryKind) {
  const RefTensor x = RealTensor({1, 3}, {-1, 2, 3});
  EXPECT_THAT(Reduced(ReduceKind::kMin, x), ElementsAre(-1));
  EXPECT_THAT(Reduced(ReduceKind::kProd, x), ElementsAre(-6));
  EXPECT_THAT(Reduced(ReduceKind::kL1, x), ElementsAre(6));
  EXPECT_THAT(Reduced(ReduceKind::kL2, x), ElementsAre(std::sqrt(14)));
  EXPECT_THAT(Reduced(ReduceKind::kLogSum, x), ElementsAre(std::log(4)));
  EXPECT_THAT(Reduced(ReduceKind::kSumSquare, x), ElementsAre(14));
  EXPECT_THAT(Reduced(ReduceKind::kLogSumExp, RealTensor({1, 2}, {0, 0})), ElementsAre(std::log(2)));
}

TEST(InterpretReduceTest, KnowsWhatNothingComesTo) {
  const RefTensor nothing = RealTensor({1, 0}, {});
  EXPECT_THAT(Reduced(ReduceKind::kMax, nothing), ElementsAre(-kInfinity));
  EXPECT_THAT(Reduced(ReduceKind::kMin, nothing), ElementsAre(kInfinity));
  EXPECT_THAT(Reduced(ReduceKind::kProd, nothing), ElementsAre(1));
  EXPECT_THAT(Reduced(ReduceKind::kLogSum, nothing), ElementsAre(-kInfinity));
}

TEST(InterpretArgReduceTest, TakesTheFirstOrTheLastOfEqualOnes) {
  const RefTensor x = RealTensor({1, 4}, {3, 7, 7, 1});
  EXPECT_THAT(Evaluated(graph::ArgReduce{.axis = 1}, {x}).integers, ElementsAre(1));
  EXPECT_THAT(Evaluated(graph::ArgReduce{.axis = 1, .select_last_index = true}, {x}).integers, ElementsAre(2));
  EXPECT_THAT(Evaluated(graph::ArgReduce{.max = false, .axis = 1}, {x}).integers, ElementsAre(3));
}

TEST(InterpretCumSumTest, RunsBothWaysWithAndWithoutTheElementItself) {
  const RefTensor x = RealTensor({3}, {1, 2, 4});
  const RefTensor axis = IntegerTensor({}, {0});
  EXPECT_THAT(Evaluated(graph::CumSum{}, {x, axis}).reals, ElementsAre(1, 3, 7));
  EXPECT_THAT(Evaluated(graph::CumSum{.exclusive = true}, {x, axis}).reals, ElementsAre(0, 1, 3));
  EXPECT_THAT(Evaluated(graph::CumSum{.reverse = true}, {x, axis}).reals, ElementsAre(7, 6, 4));
}

TEST(InterpretNormalizationTest, EachHasItsOwnElementsThatShareStatistics) {
  // {N, C, T} = {1, 2, 2}
  const RefTensor x = RealTensor({1, 2, 2}, {1, 3, 10, 30});
  const RefTensor ones = RealTensor({2}, {1, 2});
  const RefTensor zeros = RealTensor({2}, {0, 5});
  EXPECT_THAT(Evaluated(graph::InstanceNormalization{0}, {x, ones, zeros}).reals, ElementsAre(-1, 1, 3, 7));
  EXPECT_THAT(Evaluated(graph::LayerNormalization{2, 0}, {x, ones, zeros}).reals, ElementsAre(-1, 7, -1, 7));
  const RefTensor y = RealTensor({1, 2, 2}, {1, 1, 3, 3});
  EXPECT_THAT(Evaluated(graph::GroupNormalization{1, 0}, {y, ones, zeros}).reals, ElementsAre(-1, -1, 7, 7));
}

TEST(InterpretLrnTest, ReachesOneChannelFurtherUpWhenTheSizeIsEven) {
  const RefTensor x = RealTensor({1, 3, 1}, {1, 2, 3});
  const RefTensor y = Evaluated(graph::Lrn{2, 2, 1, 0}, {x});
  EXPECT_THAT(y.reals, ElementsAre(1.0 / 5, 2.0 / 13, 3.0 / 9));
}

}  // namespace
}  // namespace stillwave::test_support
