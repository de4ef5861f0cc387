// The running mean and variance of one layer, as PyTorch's BatchNorm updates them in training mode.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"

namespace stillwave::recalibration {

// What one batch said about one layer.
struct BatchMoments {
  absl::Span<const float> mean;             // {C}
  absl::Span<const float> biased_variance;  // {C}: divided by the number of values
  int64_t values = 0;                       // of each channel: samples times time steps
};

// Not thread-safe.
class RunningStatistics {
 public:
  // Begins with what is stored. `momentum` is the share of a new batch; without one the result is the plain average
  // over all batches, and what is stored does not count.
  RunningStatistics(std::vector<float> mean, std::vector<float> variance, std::optional<double> momentum);

  // running = (1 - momentum) * running + momentum * batch, kept in FP32 after every batch as PyTorch keeps it; the
  // batch's variance is made unbiased by n/(n-1). REQUIRES: moments.values > 1, one value for each channel.
  void Update(const BatchMoments& moments);

  const std::vector<float>& mean() const { return mean_; }
  const std::vector<float>& variance() const { return variance_; }
  int64_t updates() const { return updates_; }

 private:
  std::vector<float> mean_;
  std::vector<float> variance_;
  std::optional<double> momentum_;
  int64_t updates_ = 0;
};

}  // namespace stillwave::recalibration
