#include "server/kernels/max_pool.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/network_builder.h"
#include "tests/support/status_matchers.h"

namespace stillwave::kernels {
namespace {

using tensor::Shape;
using test_support::IsOk;
using test_support::UniformWindow;
using ::testing::ElementsAre;

std::vector<float> Pool(const graph::Window& window, bool ceil_mode, const Shape& src, const std::vector<float>& x) {
  const auto resolved = graph::ResolveWindow(window, ceil_mode, src);
  EXPECT_THAT(resolved, IsOk());
  int64_t count = src[0] * src[1];
  for (const int64_t length : resolved->output) count *= length;
  std::vector<float> y(static_cast<size_t>(count));
  MakeMaxPoolChannelsLast(window, *resolved, src)({x.data()}, y.data());
  return y;
}

TEST(MaxPoolTest, TakesTheLargestOfEachChannel) {
  // {1,2,4}: time steps of two channels
  EXPECT_THAT(Pool(UniformWindow(1, 2, 2), false, {1, 2, 4}, {1, 8, 2, 7, 3, 6, 4, 5}), ElementsAre(2, 8, 4, 6));
  EXPECT_THAT(Pool(UniformWindow(1, 3, 1), false, {1, 2, 4}, {1, 8, 2, 7, 3, 6, 4, 5}), ElementsAre(3, 8, 4, 7));
}

TEST(MaxPoolTest, IgnoresPaddingDilationGapsAndWhatHangsOver) {
  EXPECT_THAT(Pool(UniformWindow(1, 3, 2, 1, 1, 1), false, {1, 1, 4}, {-1, -2, -3, -4}), ElementsAre(-1, -2));
  EXPECT_THAT(Pool(UniformWindow(1, 2, 1, 2), false, {1, 1, 4}, {5, 1, 2, 9}), ElementsAre(5, 9));
  EXPECT_THAT(Pool(UniformWindow(1, 2, 2), true, {1, 1, 5}, {1, 2, 3, 4, -5}), ElementsAre(2, 4, -5));
}

TEST(MaxPoolTest, PoolsImagesAndBatches) {
  // {2,1,2,2}
  EXPECT_THAT(Pool(UniformWindow(2, 2), false, {2, 1, 2, 2}, {1, 2, 3, 4, 8, 7, 6, 5}), ElementsAre(4, 8));
  EXPECT_THAT(Pool(UniformWindow(2, 3, 2, 1, 1, 1), false, {1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}),
              ElementsAre(5, 6, 8, 9));
}

TEST(MaxPoolTest, LetsANanThrough) {
  const std::vector<float> y = Pool(UniformWindow(1, 3), false, {1, 1, 5}, {1, NAN, 3, 4, 5});
  EXPECT_TRUE(std::isnan(y[0]));
  EXPECT_TRUE(std::isnan(y[1]));
  EXPECT_EQ(y[2], 5);
}

// More channels than are taken at once, and some that are left over.
TEST(MaxPoolTest, TakesEveryOfManyChannels) {
  constexpr int64_t kChannels = 39;
  std::vector<float> x;
  for (int64_t t = 0; t < 4; ++t) {
    for (int64_t c = 0; c < kChannels; ++c) x.push_back(static_cast<float>(t == c % 4 ? c : -c - t));
  }
  x[kChannels + 8] = NAN;
  const std::vector<float> y = Pool(UniformWindow(2, 2), false, {1, kChannels, 2, 2}, x);
  ASSERT_EQ(y.size(), size_t{kChannels});
  for (size_t c = 0; c < y.size(); ++c) {
    if (c == 8) {
      EXPECT_TRUE(std::isnan(y[c]));
    } else {
      EXPECT_EQ(y[c], static_cast<float>(c));
    }
  }
}

// More rows than are compared in one go; the largest lies in each of them once.
TEST(MaxPoolTest, TakesEveryRowOfALongWindow) {
  constexpr int64_t kChannels = 9;
  constexpr int64_t kLength = 40;
  for (int64_t at = 0; at < kLength; ++at) {
    std::vector<float> x(kLength * kChannels, -1.0f);
    for (int64_t c = 0; c < kChannels; ++c) x[static_cast<size_t>(at * kChannels + c)] = static_cast<float>(c);
    const std::vector<float> y = Pool(UniformWindow(1, kLength), false, {1, kChannels, kLength}, x);
    EXPECT_THAT(y, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8)) << "largest at " << at;
  }
}

}  // namespace
}  // namespace stillwave::kernels
