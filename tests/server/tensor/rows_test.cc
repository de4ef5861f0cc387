#include "server/tensor/rows.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::tensor {
namespace {

using ::testing::ElementsAre;

Tensor ThreeRows() { return Tensor::FromValues<float>({3, 2}, {0, 1, 2, 3, 4, 5}); }

TEST(Rows, AreSeenWithoutACopy) {
  const Tensor whole = ThreeRows();
  const TensorView rows = Rows(whole.view(), 1, 2);
  EXPECT_EQ(rows.shape, Shape({2, 2}));
  EXPECT_THAT(rows.values<float>(), ElementsAre(2, 3, 4, 5));
  EXPECT_EQ(rows.values<float>().data(), whole.values<float>().data() + 2);
}

TEST(Rows, AreWrittenWhereTheyLie) {
  Tensor whole = ThreeRows();
  Rows(whole.mutable_view(), 2, 1).values<float>()[1] = 9;
  EXPECT_THAT(whole.values<float>(), ElementsAre(0, 1, 2, 3, 4, 9));
}

TEST(Rows, MayBeNone) {
  const Tensor whole = ThreeRows();
  EXPECT_EQ(Rows(whole.view(), 3, 0).shape, Shape({0, 2}));
}

TEST(Rows, OfAVectorAreItsElements) {
  const Tensor numbers = Tensor::FromValues<int64_t>({3}, {7, 8, 9});
  EXPECT_THAT(Rows(numbers.view(), 1, 1).values<int64_t>(), ElementsAre(8));
}

TEST(RowsDeathTest, MustLieInside) { EXPECT_DEATH(Rows(ThreeRows().view(), 2, 2), "broken invariant"); }

}  // namespace
}  // namespace stillwave::tensor
