#include "server/kernels/strided_copy.h"

#include <numeric>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::kernels {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

TEST(StridedCopyTest, TransposesBroadcastsAndReverses) {
  const std::vector<int32_t> src = {1, 2, 3, 4, 5, 6};
  std::vector<int32_t> dst(6);
  StridedCopy({3, 2}, {1, 3}, {2, 1}, sizeof(int32_t)).Run(src.data(), dst.data());
  EXPECT_THAT(dst, ElementsAre(1, 4, 2, 5, 3, 6));
  StridedCopy({2, 3}, {0, 1}, {3, 1}, sizeof(int32_t)).Run(src.data(), dst.data());
  EXPECT_THAT(dst, ElementsAre(1, 2, 3, 1, 2, 3));
  StridedCopy({6}, {-1}, {1}, sizeof(int32_t)).Run(src.data() + 5, dst.data());
  EXPECT_THAT(dst, ElementsAre(6, 5, 4, 3, 2, 1));
}

TEST(StridedCopyTest, CopiesEveryElementSize) {
  const auto copies = [](auto zero) {
    using T = decltype(zero);
    std::vector<T> src(12);
    std::iota(src.begin(), src.end(), T{1});
    std::vector<T> dst(12);
    StridedCopy({4, 3}, {1, 4}, {3, 1}, sizeof(T)).Run(src.data(), dst.data());
    for (size_t i = 0; i < 4; ++i) {
      for (size_t j = 0; j < 3; ++j) EXPECT_EQ(dst[i * 3 + j], src[i + j * 4]) << sizeof(T);
    }
  };
  copies(uint8_t{});
  copies(uint16_t{});
  copies(uint32_t{});
  copies(uint64_t{});
}

TEST(StridedCopyTest, WritesNothingForAnEmptyBoxAndOneElementForAScalar) {
  const std::vector<int64_t> src = {7};
  std::vector<int64_t> dst = {0, 0};
  StridedCopy({2, 0}, {1, 1}, {1, 1}, sizeof(int64_t)).Run(src.data(), dst.data());
  EXPECT_THAT(dst, Each(0));
  StridedCopy({}, {}, {}, sizeof(int64_t)).Run(src.data(), dst.data());
  EXPECT_THAT(dst, ElementsAre(7, 0));
}

TEST(StridedCopyTest, WritesOnlyItsBoxOfALargerTarget) {
  const std::vector<float> src = {1, 2, 3, 4};
  std::vector<float> dst(9, -1);
  StridedCopy({2, 2}, {2, 1}, {3, 1}, sizeof(float)).Run(src.data(), dst.data() + 4);
  EXPECT_THAT(dst, ElementsAre(-1, -1, -1, -1, 1, 2, -1, 3, 4));
}

}  // namespace
}  // namespace stillwave::kernels
