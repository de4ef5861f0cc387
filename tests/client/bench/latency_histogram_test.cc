#include "client/bench/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace stillwave::client::bench {
namespace {

// By the definition: the smallest value that at least `percent` of all do not exceed.
int64_t PercentileOf(std::vector<int64_t> sorted, double percent) {
  const double rank = std::ceil(percent / 100 * static_cast<double>(sorted.size()) - 1e-6);
  return sorted[static_cast<size_t>(std::max(1.0, rank)) - 1];
}

TEST(LatencyHistogram, IsZeroWhenNothingWasCounted) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0);
  EXPECT_EQ(histogram.Percentile(99), absl::ZeroDuration());
  EXPECT_EQ(histogram.Mean(), absl::ZeroDuration());
  EXPECT_EQ(histogram.Min(), absl::ZeroDuration());
  EXPECT_EQ(histogram.Max(), absl::ZeroDuration());
}

TEST(LatencyHistogram, KeepsShortDurationsExactly) {
  LatencyHistogram histogram;
  for (int i = 1; i <= 200; ++i) histogram.Add(absl::Nanoseconds(i));
  EXPECT_EQ(histogram.Percentile(50), absl::Nanoseconds(100));
  EXPECT_EQ(histogram.Percentile(0), absl::Nanoseconds(1));
  EXPECT_EQ(histogram.Percentile(100), absl::Nanoseconds(200));
  EXPECT_EQ(histogram.Mean(), absl::Nanoseconds(100.5));
}

// Every power of two and its neighbours: where buckets begin and end.
TEST(LatencyHistogram, IsWithinItsErrorAtEveryBucketsEdge) {
  for (int64_t power = 1; power <= absl::ToInt64Nanoseconds(LatencyHistogram::kLongest); power *= 2) {
    for (const int64_t nanos : {power - 1, power, power + 1, power + power / 128, power + power / 128 - 1}) {
      LatencyHistogram histogram;
      histogram.Add(absl::Nanoseconds(nanos));
      // Two more around it, so that the answer is the bucket's and not the exact minimum or maximum.
      histogram.Add(absl::ZeroDuration());
      histogram.Add(LatencyHistogram::kLongest);
      const double seen = absl::ToDoubleNanoseconds(histogram.Percentile(50));
      EXPECT_LE(std::abs(seen - static_cast<double>(nanos)),
                LatencyHistogram::kRelativeError * static_cast<double>(nanos) + 1e-9)
          << nanos;
    }
  }
}

TEST(LatencyHistogram, HasThePercentilesOfTheValuesWithinItsError) {
  std::mt19937_64 random(1);
  std::vector<int64_t> values;
  LatencyHistogram histogram;
  for (int i = 0; i < 20'000; ++i) {
    // From 1 µs to 10 s, as many in each decade.
    const double exponent = 3 + 7 * (static_cast<double>(random() >> 11) * 0x1p-53);
    values.push_back(static_cast<int64_t>(std::pow(10, exponent)));
    histogram.Add(absl::Nanoseconds(values.back()));
  }
  std::sort(values.begin(), values.end());
  for (const double percent : {1.0, 10.0, 50.0, 90.0, 99.0, 99.9, 99.99}) {
    const auto exact = static_cast<double>(PercentileOf(values, percent));
    EXPECT_NEAR(absl::ToDoubleNanoseconds(histogram.Percentile(percent)), exact,
                LatencyHistogram::kRelativeError * exact)
        << percent;
  }
  EXPECT_EQ(histogram.Percentile(100), absl::Nanoseconds(values.back()));
  EXPECT_EQ(histogram.Min(), absl::Nanoseconds(values.front()));
}

// 99.9 % of 1000 are 999, not 1000: the one outlier is not in it.
TEST(LatencyHistogram, CountsRanksAsTheDefinitionSays) {
  LatencyHistogram histogram;
  for (int i = 0; i < 999; ++i) histogram.Add(absl::Nanoseconds(10));
  histogram.Add(absl::Seconds(1));
  EXPECT_EQ(histogram.Percentile(99.9), absl::Nanoseconds(10));
  EXPECT_EQ(histogram.Percentile(99.91), absl::Seconds(1));
}

TEST(LatencyHistogram, MergesToWhatOneWouldHaveCounted) {
  LatencyHistogram a;
  LatencyHistogram b;
  LatencyHistogram both;
  for (int i = 0; i < 1000; ++i) {
    const absl::Duration duration = absl::Microseconds(1 + i * i);
    (i % 3 == 0 ? a : b).Add(duration);
    both.Add(duration);
  }
  a.Merge(b);
  EXPECT_EQ(a.count(), both.count());
  EXPECT_EQ(a.Min(), both.Min());
  EXPECT_EQ(a.Max(), both.Max());
  for (const double percent : {5.0, 50.0, 95.0}) EXPECT_EQ(a.Percentile(percent), both.Percentile(percent));
}

TEST(LatencyHistogram, TakesDurationsOutOfItsRangeForTheNearest) {
  LatencyHistogram histogram;
  histogram.Add(absl::Seconds(-1));
  EXPECT_EQ(histogram.Max(), absl::ZeroDuration());
  histogram.Add(absl::InfiniteDuration());
  EXPECT_EQ(histogram.Max(), LatencyHistogram::kLongest);
  EXPECT_EQ(histogram.count(), 2);
}

}  // namespace
}  // namespace stillwave::client::bench
