// How far live statistics of a channel are from those that its batch normalization was trained with. Pure functions.
#pragma once

#include <vector>

#include "absl/types/span.h"

namespace stillwave::drift {

// What a layer normalizes with, one entry a channel.
struct StoredStatistics {
  std::vector<double> mean;
  std::vector<double> variance;
  double epsilon = 0;
};

struct ChannelDrift {
  // |m - μ| / √(σ² + ε): by how many trained standard deviations the mean has moved.
  double mean_shift = 0;
  // (v + ε) / (σ² + ε): 1 where nothing has changed.
  double variance_ratio = 1;
  // ½ (ratio + shift² - 1 - ln ratio): the Kullback-Leibler divergence of the live normal distribution from the trained
  // one, in nats; 0 where they are equal, never negative.
  double divergence = 0;
};

// The layer divides by √(σ² + ε), so both variances are seen with its ε on top: a channel that was constant in training
// counts as moved when the layer's output moves, and no result is a NaN or infinite. REQUIRES: all finite, no variance
// or ε negative.
ChannelDrift CompareChannel(double live_mean, double live_variance, double stored_mean, double stored_variance,
                            double epsilon);

struct LayerDrift {
  ChannelDrift mean;  // of each quantity by itself
  ChannelDrift max;
};

// Over the channels; of none, as if nothing had changed.
LayerDrift Summarize(absl::Span<const ChannelDrift> channels);

}  // namespace stillwave::drift
