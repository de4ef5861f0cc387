#include "server/batching/compute_estimate.h"

#include <limits>

#include "gtest/gtest.h"

namespace stillwave::batching {
namespace {

TEST(ComputeEstimateTest, KnowsNothingAtFirst) {
  const ComputeEstimate estimate;
  EXPECT_FALSE(estimate.known());
  EXPECT_EQ(estimate.Expected(1000), absl::ZeroDuration());
  EXPECT_EQ(estimate.AtLeast(1000), absl::ZeroDuration());
  EXPECT_EQ(estimate.ElementsIn(absl::Seconds(1)), std::numeric_limits<int64_t>::max());
}

TEST(ComputeEstimateTest, GrowsWithTheWork) {
  ComputeEstimate estimate;
  estimate.Observe(/*elements=*/100, absl::Microseconds(50));
  EXPECT_EQ(estimate.Expected(100), absl::Microseconds(50));
  EXPECT_EQ(estimate.Expected(400), absl::Microseconds(200));
  EXPECT_EQ(estimate.AtLeast(200), absl::ZeroDuration()) << "one observation is not enough to refuse anything";
  for (int i = 1; i < ComputeEstimate::kEnough; ++i) estimate.Observe(/*elements=*/100, absl::Microseconds(50));
  EXPECT_EQ(estimate.AtLeast(200), absl::Microseconds(100));
  EXPECT_EQ(estimate.ElementsIn(absl::Microseconds(200)), 400);
  EXPECT_EQ(estimate.ElementsIn(absl::Nanoseconds(1)), 1) << "at least one";
}

TEST(ComputeEstimateTest, FollowsTimesThatChange) {
  ComputeEstimate estimate;
  estimate.Observe(1, absl::Microseconds(10));
  for (int i = 0; i < 100; ++i) estimate.Observe(1, absl::Microseconds(100));
  EXPECT_GT(estimate.Expected(1), absl::Microseconds(99));
  EXPECT_GT(estimate.AtLeast(1), absl::Microseconds(50));
  for (int i = 0; i < 100; ++i) estimate.Observe(1, absl::Microseconds(10));
  EXPECT_LT(estimate.Expected(1), absl::Microseconds(11));
}

TEST(ComputeEstimateTest, OneSlowRunHardlyLiftsTheLeast) {
  ComputeEstimate estimate;
  for (int i = 0; i < 10; ++i) estimate.Observe(1, absl::Microseconds(10));
  estimate.Observe(1, absl::Microseconds(74));
  EXPECT_EQ(estimate.AtLeast(1), absl::Microseconds(11));
  EXPECT_EQ(estimate.Expected(1), absl::Microseconds(18));
  estimate.Observe(1, absl::Microseconds(5));
  EXPECT_EQ(estimate.AtLeast(1), absl::Microseconds(5)) << "a faster one counts at once";
}

TEST(ComputeEstimateTest, ARunThatCompiledAPlanCountsLittle) {
  ComputeEstimate estimate;
  for (int i = 0; i < 10; ++i) estimate.Observe(1, absl::Microseconds(10));
  estimate.Observe(1, absl::Seconds(1));
  EXPECT_LT(estimate.Expected(1), absl::Microseconds(20));
  EXPECT_LT(estimate.AtLeast(1), absl::Microseconds(12));
  ComputeEstimate from_the_first;
  from_the_first.Observe(1, absl::Seconds(1));
  from_the_first.Observe(1, absl::Microseconds(10));
  EXPECT_LT(from_the_first.Expected(1), absl::Microseconds(80));
}

TEST(ComputeEstimateTest, AClockThatStoodStillSaysNothing) {
  ComputeEstimate estimate;
  estimate.Observe(10, absl::ZeroDuration());
  EXPECT_FALSE(estimate.known());
}

}  // namespace
}  // namespace stillwave::batching
