#include "server/drift/decayed_moments.h"

#include <algorithm>
#include <cmath>

#include "server/base/check.h"

namespace stillwave::drift {

DecayedMoments::DecayedMoments(size_t channels, double half_life)
    : half_life_(half_life), mean_(channels, 0), variance_(channels, 0) {
  SW_CHECK(half_life > 0);
}

void DecayedMoments::Add(const ChannelMoments& sample) {
  SW_CHECK(sample.mean.size() == mean_.size() && sample.variance.size() == mean_.size());
  Combine(std::exp2(-1 / half_life_), /*weight=*/1, sample.mean, sample.variance);
  ++samples_;
}

void DecayedMoments::Merge(const DecayedMoments& later) {
  SW_CHECK(later.mean_.size() == mean_.size() && later.half_life_ == half_life_);
  if (later.samples_ == 0) return;
  Combine(std::exp2(-static_cast<double>(later.samples_) / half_life_), later.weight_, later.mean_, later.variance_);
  samples_ += later.samples_;
}

void DecayedMoments::Clear() {
  samples_ = 0;
  weight_ = 0;
  std::fill(mean_.begin(), mean_.end(), 0);
  std::fill(variance_.begin(), variance_.end(), 0);
}

void DecayedMoments::Combine(double decay, double weight, absl::Span<const double> mean,
                             absl::Span<const double> variance) {
  const double before = decay * weight_;
  weight_ = before + weight;
  const double share = weight / weight_;
  for (size_t c = 0; c < mean_.size(); ++c) {
    const double difference = mean[c] - mean_[c];
    mean_[c] += difference * share;
    // The deviations of both parts, and of both means from the common one.
    variance_[c] += share * (variance[c] - variance_[c] + difference * difference * (1 - share));
  }
}

}  // namespace stillwave::drift
