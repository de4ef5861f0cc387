#include "server/tensor/shape.h"

#include <limits>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace stillwave::tensor {
namespace {

using test_support::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();

TEST(ShapeTest, CountsTheElementsOfScalarsEmptyTensorsAndBoxes) {
  EXPECT_EQ(*Shape({}).ElementCount(), 1);
  EXPECT_EQ(*Shape({3, 0, 5}).ElementCount(), 0);
  EXPECT_EQ(*Shape({2, 3, 4}).ElementCount(), 24);
  EXPECT_EQ(*Shape({kLargest}).ElementCount(), kLargest);
}

TEST(ShapeTest, RefusesACountThatDoesNotFitIntoInt64) {
  EXPECT_THAT(Shape({kLargest, 2}).ElementCount(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more elements than 2^63-1")));
  EXPECT_FALSE(Shape({int64_t{1} << 32, int64_t{1} << 31}).ElementCount().ok());
  EXPECT_EQ(*Shape({int64_t{1} << 32, int64_t{1} << 30}).ElementCount(), int64_t{1} << 62);
}

TEST(ShapeTest, RefusesAnOverflowEvenBesideADimensionOfZero) {
  EXPECT_FALSE(Shape({kLargest, 2, 0}).ElementCount().ok());
  EXPECT_FALSE(Shape({0, kLargest, 2}).ElementCount().ok());
}

TEST(ShapeTest, RefusesANegativeDimensionByName) {
  EXPECT_THAT(Shape({2, -3}).ElementCount(),
              StatusIs(absl::StatusCode::kInvalidArgument, AllOf(HasSubstr("[2,-3]"), HasSubstr("negative"))));
}

TEST(ShapeTest, IsConcreteUnlessADimensionIsDynamic) {
  EXPECT_TRUE(Shape({1, 0, 2}).IsConcrete());
  EXPECT_FALSE(Shape({1, kDynamicDim, 2}).IsConcrete());
}

TEST(ShapeTest, PrintsAndCompares) {
  EXPECT_EQ(Shape({1, 3, -1}).ToString(), "[1,3,-1]");
  EXPECT_EQ(Shape({}).ToString(), "[]");
  EXPECT_EQ(Shape({1, 2}), Shape({1, 2}));
  EXPECT_NE(Shape({1, 2}), Shape({1, 2, 1}));
}

TEST(RowMajorStridesTest, GrowFromTheInnermostAxis) {
  EXPECT_THAT(RowMajorStrides(Shape({2, 3, 4})), ElementsAre(12, 4, 1));
  EXPECT_THAT(RowMajorStrides(Shape({})), IsEmpty());
}

}  // namespace
}  // namespace stillwave::tensor
