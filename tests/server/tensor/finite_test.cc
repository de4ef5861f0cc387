#include "server/tensor/finite.h"

#include <cstring>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

namespace stillwave::tensor {
namespace {

TEST(FindNonFiniteTest, FindsTheFirstOneWhereverItLies) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    for (const size_t at : {0U, 1U, 255U, 256U, 600U}) {
      std::vector<float> values(601, 1.0F);
      values[at] = bad;
      values[600] = bad;
      EXPECT_EQ(FindNonFinite(values.data(), 601), static_cast<int64_t>(at));
    }
  }
}

TEST(FindNonFiniteTest, TakesEveryNumberForOne) {
  const std::vector<float> values = {0.0F, -0.0F, std::numeric_limits<float>::max(),
                                     std::numeric_limits<float>::lowest(), std::numeric_limits<float>::denorm_min()};
  EXPECT_EQ(FindNonFinite(values.data(), 5), std::nullopt);
  EXPECT_EQ(FindNonFinite(nullptr, 0), std::nullopt);
}

TEST(FindNonFiniteTest, ReadsUnalignedBytes) {
  const float value = std::numeric_limits<float>::infinity();
  std::vector<char> bytes(1 + sizeof(value));
  std::memcpy(bytes.data() + 1, &value, sizeof(value));
  EXPECT_EQ(FindNonFinite(bytes.data() + 1, 1), 0);
}

}  // namespace
}  // namespace stillwave::tensor
