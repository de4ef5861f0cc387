#include "server/batching/compute_estimate.h"

#include <algorithm>
#include <limits>

#include "server/base/check.h"

namespace stillwave::batching {
namespace {

// The weight of one observation in the mean: the last ten or so count.
constexpr double kNew = 1.0 / 8;
// How fast the minimum follows times that have become longer: one preempted run must not lift it, a slower CPU may.
constexpr double kRise = 1.0 / 64;
// Something else happened in a run that was so many times slower than usual: it compiled a plan, or was preempted.
constexpr double kOutlier = 8;

}  // namespace

void ComputeEstimate::Observe(int64_t elements, absl::Duration duration) {
  SW_CHECK(elements > 0);
  const double rate = static_cast<double>(absl::ToInt64Nanoseconds(duration)) / static_cast<double>(elements);
  if (!(rate > 0)) return;
  observations_ = std::min(observations_ + 1, kEnough);
  if (!known()) {
    mean_ = least_ = rate;
    return;
  }
  // A mean that is so far off was made by one.
  mean_ = std::min(mean_, rate * kOutlier);
  const double bounded = std::min(rate, mean_ * kOutlier);
  mean_ += (bounded - mean_) * kNew;
  least_ = bounded < least_ ? bounded : least_ + (bounded - least_) * kRise;
}

int64_t ComputeEstimate::ElementsIn(absl::Duration duration) const {
  constexpr int64_t kAny = std::numeric_limits<int64_t>::max();
  if (!known()) return kAny;
  const double elements = static_cast<double>(absl::ToInt64Nanoseconds(duration)) / mean_;
  return elements < static_cast<double>(kAny) ? std::max<int64_t>(1, static_cast<int64_t>(elements)) : kAny;
}

}  // namespace stillwave::batching
