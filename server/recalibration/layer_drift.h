// How far a layer's stored statistics are from what data show.
#pragma once

#include "absl/types/span.h"

namespace stillwave::recalibration {

// Over the channels of one layer. With stored mean μ and variance σ², and the data's m and v:
struct LayerDrift {
  double mean_shift = 0;  // |m-μ| / sqrt(σ²+ε), on average and at most
  double max_shift = 0;
  double min_ratio = 1;  // (v+ε) / (σ²+ε)
  double max_ratio = 1;
  double mean_divergence = 0;  // ½ (ratio + shift² - 1 - ln ratio): of the two normal distributions
  double max_divergence = 0;
};

// ε keeps a channel without variance finite, as it does in the layer itself. REQUIRES: spans of one size, not empty.
LayerDrift MeasureDrift(absl::Span<const float> stored_mean, absl::Span<const float> stored_variance,
                        absl::Span<const float> data_mean, absl::Span<const float> data_variance, float epsilon);

}  // namespace stillwave::recalibration
