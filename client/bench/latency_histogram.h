// Durations counted in buckets that are wider the longer they are, as HdrHistogram does it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace stillwave::client::bench {

// Durations up to 256 ns have a bucket for each nanosecond; from there on every doubling is divided into 128 buckets.
// Copyable; 36 KiB. Not thread-safe: each thread fills its own, and they are merged.
class LatencyHistogram {
 public:
  // A percentile is off by at most this share of itself: half a bucket.
  static constexpr double kRelativeError = 1.0 / 256;
  // Longer durations count as this.
  static constexpr absl::Duration kLongest = absl::Hours(1);

  // A negative duration counts as zero.
  void Add(absl::Duration duration);
  void Merge(const LatencyHistogram& other);

  int64_t count() const { return count_; }
  // Exact. Zero when nothing was counted.
  absl::Duration Min() const { return absl::Nanoseconds(count_ == 0 ? 0 : min_); }
  absl::Duration Max() const { return absl::Nanoseconds(max_); }
  absl::Duration Mean() const;
  // The shortest duration that at least `percent` of all do not exceed. Zero when nothing was counted.
  // REQUIRES: 0 <= percent <= 100.
  absl::Duration Percentile(double percent) const;

 private:
  static constexpr int kSubBucketBits = 7;
  static constexpr int64_t kLongestNanos = 3600 * INT64_C(1'000'000'000);
  static constexpr size_t IndexOf(int64_t nanos);
  static constexpr int64_t MiddleOf(size_t index);
  static constexpr size_t kBuckets = 4608;  // IndexOf(kLongestNanos) and all below, rounded up

  std::array<int64_t, kBuckets> buckets_{};
  int64_t count_ = 0;
  int64_t min_ = kLongestNanos;
  int64_t max_ = 0;
  double sum_ = 0;  // nanoseconds
};

}  // namespace stillwave::client::bench
