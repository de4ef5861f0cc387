// How far a layer's stored statistics are from what data show.
#pragma once

#include "absl/types/span.h"

namespace stillwave::recalibration {

// What drift::CompareChannel says of the channels of one layer, on average and at the ends.
struct LayerDrift {
  double mean_shift = 0;
  double max_shift = 0;
  double min_ratio = 1;
  double max_ratio = 1;
  double mean_divergence = 0;
  double max_divergence = 0;
};

// REQUIRES: spans of one size, not empty.
LayerDrift MeasureDrift(absl::Span<const float> stored_mean, absl::Span<const float> stored_variance,
                        absl::Span<const float> data_mean, absl::Span<const float> data_variance, float epsilon);

}  // namespace stillwave::recalibration
