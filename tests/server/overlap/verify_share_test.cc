#include "server/overlap/verify_share.h"

#include "gtest/gtest.h"

namespace stillwave::overlap {
namespace {

int64_t VerifiedOf(int64_t windows, double share) {
  int64_t verified = 0;
  for (int64_t number = 1; number <= windows; ++number) verified += IsVerified(number, share) ? 1 : 0;
  return verified;
}

TEST(VerifyShare, IsMetBesideTheFirstTwo) {
  EXPECT_EQ(VerifiedOf(10'000, 0), 2);
  EXPECT_EQ(VerifiedOf(10'000, 0.001), 2 + 10);
  EXPECT_EQ(VerifiedOf(10'000, 1), 10'000);
  EXPECT_NEAR(static_cast<double>(VerifiedOf(10'000, 0.7)), 7'000, 2);
}

TEST(VerifyShare, IsSpreadEvenly) {
  int64_t last = 0;
  for (int64_t number = 1; number <= 1'000; ++number) {
    if (!IsVerified(number, 0.25)) continue;
    EXPECT_LE(number - last, 4);
    last = number;
  }
  EXPECT_GT(last, 996);
}

}  // namespace
}  // namespace stillwave::overlap
