#include "server/recalibration/layer_drift.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "server/base/check.h"
#include "server/drift/divergence.h"

namespace stillwave::recalibration {

LayerDrift MeasureDrift(absl::Span<const float> stored_mean, absl::Span<const float> stored_variance,
                        absl::Span<const float> data_mean, absl::Span<const float> data_variance, float epsilon) {
  const size_t channels = stored_mean.size();
  SW_CHECK(channels > 0 && stored_variance.size() == channels && data_mean.size() == channels &&
           data_variance.size() == channels);
  LayerDrift layer;
  layer.min_ratio = std::numeric_limits<double>::infinity();
  layer.max_ratio = 0;
  for (size_t channel = 0; channel < channels; ++channel) {
    const drift::ChannelDrift figures = drift::CompareChannel(data_mean[channel], data_variance[channel],
                                                              stored_mean[channel], stored_variance[channel], epsilon);
    layer.mean_shift += figures.mean_shift / static_cast<double>(channels);
    layer.max_shift = std::max(layer.max_shift, figures.mean_shift);
    layer.min_ratio = std::min(layer.min_ratio, figures.variance_ratio);
    layer.max_ratio = std::max(layer.max_ratio, figures.variance_ratio);
    layer.mean_divergence += figures.divergence / static_cast<double>(channels);
    layer.max_divergence = std::max(layer.max_divergence, figures.divergence);
  }
  return layer;
}

}  // namespace stillwave::recalibration
