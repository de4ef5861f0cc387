#include "server/metrics/histogram.h"

#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::metrics {
namespace {

using ::testing::ElementsAre;

std::vector<uint64_t> CumulativeCounts(const Histogram& histogram) {
  std::vector<uint64_t> counts;
  for (const auto& bucket : histogram.Collect().histogram.bucket) counts.push_back(bucket.cumulative_count);
  return counts;
}

TEST(HistogramTest, AValueOnABoundBelongsToTheBucketOfThatBound) {
  Histogram histogram({1, 2, 4});
  histogram.Observe(1);
  histogram.Observe(1.5);
  histogram.Observe(4);
  EXPECT_THAT(CumulativeCounts(histogram), ElementsAre(1, 2, 3, 3));
}

TEST(HistogramTest, ValuesAboveTheLastBoundCountInTheInfiniteBucket) {
  Histogram histogram({1});
  histogram.Observe(100);
  EXPECT_THAT(CumulativeCounts(histogram), ElementsAre(0, 1));
  EXPECT_EQ(histogram.Collect().histogram.bucket.back().upper_bound, std::numeric_limits<double>::infinity());
  EXPECT_EQ(histogram.Sum(), 100);
}

TEST(HistogramTest, NoObservationIsLostBetweenThreads) {
  Histogram histogram({0.5});
  constexpr int kThreads = 4, kEach = 20'000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) histogram.Observe(n % 2);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(histogram.Count(), uint64_t{kThreads * kEach});
  EXPECT_EQ(histogram.Sum(), kThreads * kEach / 2);
  EXPECT_THAT(CumulativeCounts(histogram), ElementsAre(kThreads * kEach / 2, kThreads * kEach));
}

TEST(HistogramFamilyTest, TheSameLabelsGiveTheSameHistogram) {
  HistogramFamily family("h_seconds", "Help.", {1});
  Histogram& a = family.Add({{"model", "a"}});
  Histogram& b = family.Add({{"model", "b"}});
  EXPECT_NE(&a, &b);
  EXPECT_EQ(&a, &family.Add({{"model", "a"}}));
}

TEST(HistogramFamilyTest, ARemovedHistogramIsNotCollectedAndTheOthersStayWhereTheyAre) {
  HistogramFamily family("h_seconds", "Help.", {1});
  Histogram& a = family.Add({{"model", "a"}});
  Histogram& b = family.Add({{"model", "b"}});
  family.Remove(&a);
  ASSERT_EQ(family.Collect()[0].metric.size(), 1u);
  EXPECT_EQ(family.Collect()[0].metric[0].label[0].value, "b");
  EXPECT_EQ(&family.Add({{"model", "b"}}), &b);
  family.Remove(&a);  // there is none any more
  EXPECT_EQ(family.Collect()[0].metric.size(), 1u);
}

TEST(HistogramFamilyTest, CollectsEveryChildWithItsLabels) {
  HistogramFamily family("h_seconds", "Help.", {1});
  family.Add({{"model", "a"}}).Observe(0.5);
  family.Add({{"model", "b"}});
  const auto families = family.Collect();
  ASSERT_EQ(families.size(), 1u);
  EXPECT_EQ(families[0].name, "h_seconds");
  ASSERT_EQ(families[0].metric.size(), 2u);
  EXPECT_EQ(families[0].metric[0].label[0].value, "a");
  EXPECT_EQ(families[0].metric[0].histogram.sample_count, 1u);
  EXPECT_EQ(families[0].metric[1].histogram.sample_count, 0u);
}

}  // namespace
}  // namespace stillwave::metrics
