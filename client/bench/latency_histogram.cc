#include "client/bench/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "server/base/check.h"

namespace stillwave::client::bench {

// The leading 8 bits of the value are kept. Below 256 these are all of it.
constexpr size_t LatencyHistogram::IndexOf(int64_t nanos) {
  const int bits = std::bit_width(static_cast<uint64_t>(nanos));
  const int shift = std::max(0, bits - (kSubBucketBits + 1));
  return (static_cast<size_t>(shift) << kSubBucketBits) + static_cast<size_t>(nanos >> shift);
}

constexpr int64_t LatencyHistogram::MiddleOf(size_t index) {
  const size_t shift = index < (size_t{2} << kSubBucketBits) ? 0 : (index >> kSubBucketBits) - 1;
  const int64_t leading = static_cast<int64_t>(index - (shift << kSubBucketBits));
  return (leading << shift) + (int64_t{1} << shift) / 2;
}

void LatencyHistogram::Add(absl::Duration duration) {
  static_assert(IndexOf(kLongestNanos) < kBuckets);
  const int64_t nanos = std::clamp<int64_t>(absl::ToInt64Nanoseconds(duration), 0, kLongestNanos);
  ++buckets_[IndexOf(nanos)];
  ++count_;
  min_ = std::min(min_, nanos);
  max_ = std::max(max_, nanos);
  sum_ += static_cast<double>(nanos);
}

void LatencyHistogram::Merge(const LatencyHistogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

absl::Duration LatencyHistogram::Mean() const {
  return absl::Nanoseconds(count_ == 0 ? 0.0 : sum_ / static_cast<double>(count_));
}

absl::Duration LatencyHistogram::Percentile(double percent) const {
  SW_CHECK(percent >= 0 && percent <= 100);
  if (count_ == 0) return absl::ZeroDuration();
  // 99.9 % of 1000 are 999, although the product in doubles is a little more.
  const double share = percent / 100 * static_cast<double>(count_);
  const int64_t rank = std::clamp<int64_t>(static_cast<int64_t>(std::ceil(share - 1e-6)), 1, count_);
  if (rank == count_) return Max();
  int64_t below = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    below += buckets_[i];
    if (below >= rank) return absl::Nanoseconds(std::clamp(MiddleOf(i), min_, max_));
  }
  return Max();
}

}  // namespace stillwave::client::bench
