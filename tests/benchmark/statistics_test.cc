#include "tests/benchmark/statistics.h"

#include <gtest/gtest.h>

#include <vector>

namespace stillwave::benchmark {
namespace {

TEST(StatisticsTest, FindsMedianTenthPercentileAndMinimumInAnyOrder) {
  const Statistics statistics = Summarize({9, 1, 8, 2, 7, 3, 6, 4, 5, 10, 11});
  EXPECT_EQ(statistics.median, 6);
  EXPECT_EQ(statistics.p10, 2);
  EXPECT_EQ(statistics.minimum, 1);
}

TEST(StatisticsTest, TakesTheMiddleOfTwoMedians) { EXPECT_EQ(Summarize({1, 2, 4, 100}).median, 3); }

TEST(StatisticsTest, OfOneReadingIsThatReading) {
  const Statistics statistics = Summarize({5});
  EXPECT_EQ(statistics.median, 5);
  EXPECT_EQ(statistics.p10, 5);
  EXPECT_EQ(statistics.minimum, 5);
}

}  // namespace
}  // namespace stillwave::benchmark
