// Mean and variance of each channel of an activation.
#pragma once

#include <vector>

#include "server/tensor/tensor.h"

namespace stillwave::drift {

// One entry a channel.
struct ChannelMoments {
  std::vector<double> mean;
  std::vector<double> variance;  // the mean of squared deviations

  // False where a value was a NaN, an infinity, or there was none.
  bool IsFinite() const;
};

// Of x {N, C, …}: over N and all positions behind C. REQUIRES: FP32, rank >= 2.
ChannelMoments MomentsOf(const tensor::TensorView& x);

}  // namespace stillwave::drift
