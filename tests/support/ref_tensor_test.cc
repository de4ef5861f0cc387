#include "tests/support/ref_tensor.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::test_support {
namespace {

using tensor::DataType;
using tensor::Shape;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(RefTensorTest, KeepsEveryElementTypeThroughATensorAndBack) {
  for (const DataType type : {DataType::kUint8, DataType::kUint16, DataType::kUint32, DataType::kInt8, DataType::kInt16,
                              DataType::kInt32, DataType::kInt64}) {
    RefTensor ref{type, Shape({3}), {}, {0, 1, 100}};
    EXPECT_THAT(ToRefTensor(ToTensor(ref).view()).integers, ElementsAre(0, 1, 100)) << tensor::Name(type);
  }
  for (const DataType type : {DataType::kFloat16, DataType::kBFloat16, DataType::kFloat32, DataType::kFloat64}) {
    RefTensor ref{type, Shape({4}), {0, -1.5, 2048, 0.125}, {}};
    EXPECT_THAT(ToRefTensor(ToTensor(ref).view()).reals, ElementsAre(0, -1.5, 2048, 0.125)) << tensor::Name(type);
  }
}

TEST(RefTensorTest, RoundsToHalfPrecisionWithTiesToEven) {
  EXPECT_EQ(RoundTo(DataType::kFloat16, 2049), 2048);
  EXPECT_EQ(RoundTo(DataType::kFloat16, 2051), 2052);
  EXPECT_EQ(RoundTo(DataType::kFloat16, 65519), 65504);
  EXPECT_EQ(RoundTo(DataType::kFloat16, -65520), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(RoundTo(DataType::kFloat16, std::ldexp(1.4, -24)), std::ldexp(1.0, -24));
  EXPECT_EQ(RoundTo(DataType::kBFloat16, 1.00390625), 1.0);
}

TEST(RefTensorTest, KeepsHalfPrecisionSubnormalsAndSpecials) {
  const double infinity = std::numeric_limits<double>::infinity();
  RefTensor ref{DataType::kFloat16, Shape({3}), {std::ldexp(3.0, -24), -infinity, std::nan("")}, {}};
  const RefTensor back = ToRefTensor(ToTensor(ref).view());
  EXPECT_EQ(back.reals[0], std::ldexp(3.0, -24));
  EXPECT_EQ(back.reals[1], -infinity);
  EXPECT_TRUE(std::isnan(back.reals[2]));
}

TEST(DifferenceTest, IsEmptyWithinTheBoundAndNamesTheWorstElementBeyondIt) {
  const RefTensor want = RealTensor({3}, {1, 2, 3});
  EXPECT_EQ(Difference(RealTensor({3}, {1.01, 2, 3}), want, 0.02, 0), "");
  const std::string difference = Difference(RealTensor({3}, {1.1, 2, 2.5}), want, 0.02, 0);
  EXPECT_THAT(difference, HasSubstr("2 of 3"));
  EXPECT_THAT(difference, HasSubstr("first [0]: 1.1, not 1"));
  EXPECT_THAT(difference, HasSubstr("worst [2]: 2.5, not 3"));
}

TEST(DifferenceTest, SeesTypesShapesIntegersAndSpecialValues) {
  EXPECT_THAT(Difference(IntegerTensor({1}, {1}), RealTensor({1}, {1}), 1, 1), HasSubstr("type is INT64, not FP32"));
  EXPECT_THAT(Difference(RealTensor({1, 2}, {1, 2}), RealTensor({2}, {1, 2}), 1, 1), HasSubstr("[1,2], not [2]"));
  EXPECT_THAT(Difference(IntegerTensor({2}, {1, 5}), IntegerTensor({2}, {1, 4}), 9, 9),
              HasSubstr("element 1 is 5, not 4"));
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(Difference(RealTensor({2}, {infinity, NAN}), RealTensor({2}, {infinity, NAN}), 0, 0), "");
  EXPECT_THAT(Difference(RealTensor({1}, {NAN}), RealTensor({1}, {1}), 1, 1), HasSubstr("1 of 1"));
  EXPECT_THAT(Difference(RealTensor({1}, {-infinity}), RealTensor({1}, {infinity}), 1, 1), HasSubstr("1 of 1"));
}

}  // namespace
}  // namespace stillwave::test_support
