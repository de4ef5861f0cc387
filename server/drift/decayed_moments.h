// Mean and variance of each channel over a series of samples of which the older ones count less.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "server/drift/channel_moments.h"

namespace stillwave::drift {

// A sample's weight is 1 when it comes and half as much after `half_life` others. Kept are sums of weights, means and
// squared deviations from the mean (West 1979, Chan et al. 1983), never sums of squares: an offset far above the spread
// costs no digits. Not thread-safe.
class DecayedMoments {
 public:
  // REQUIRES: half_life > 0; infinite: nothing is forgotten.
  DecayedMoments(size_t channels, double half_life);

  // One more sample, of however many positions. REQUIRES: it is finite and has as many channels.
  void Add(const ChannelMoments& sample);

  // The samples of `later` as if they had been added here one by one. REQUIRES: equal channels and half-lives.
  void Merge(const DecayedMoments& later);

  // Back to the beginning.
  void Clear();

  int64_t samples() const { return samples_; }
  // Of all samples together: at most about 1.44 half-lives.
  double weight() const { return weight_; }
  // All 0 before the first sample.
  absl::Span<const double> mean() const { return mean_; }
  absl::Span<const double> variance() const { return variance_; }

 private:
  // Lets what is here count `decay` times as much, and takes in what has this weight and these moments.
  void Combine(double decay, double weight, absl::Span<const double> mean, absl::Span<const double> variance);

  double half_life_;
  int64_t samples_ = 0;
  double weight_ = 0;
  std::vector<double> mean_;
  std::vector<double> variance_;
};

}  // namespace stillwave::drift
