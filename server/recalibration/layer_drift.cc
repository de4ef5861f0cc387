#include "server/recalibration/layer_drift.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "server/base/check.h"

namespace stillwave::recalibration {

LayerDrift MeasureDrift(absl::Span<const float> stored_mean, absl::Span<const float> stored_variance,
                        absl::Span<const float> data_mean, absl::Span<const float> data_variance, float epsilon) {
  const size_t channels = stored_mean.size();
  SW_CHECK(channels > 0 && stored_variance.size() == channels && data_mean.size() == channels &&
           data_variance.size() == channels);
  LayerDrift drift;
  drift.min_ratio = std::numeric_limits<double>::infinity();
  drift.max_ratio = 0;
  // An epsilon of 0 (where every stored variance is positive) must not make a constant channel of the data infinite.
  const double regular = std::max(static_cast<double>(epsilon), 1e-12);
  for (size_t channel = 0; channel < channels; ++channel) {
    const double stored = static_cast<double>(stored_variance[channel]) + regular;
    const double shift = std::abs(static_cast<double>(data_mean[channel]) - static_cast<double>(stored_mean[channel])) /
                         std::sqrt(stored);
    const double ratio = (static_cast<double>(data_variance[channel]) + regular) / stored;
    const double divergence = 0.5 * (ratio + shift * shift - 1 - std::log(ratio));
    drift.mean_shift += shift / static_cast<double>(channels);
    drift.max_shift = std::max(drift.max_shift, shift);
    drift.min_ratio = std::min(drift.min_ratio, ratio);
    drift.max_ratio = std::max(drift.max_ratio, ratio);
    drift.mean_divergence += divergence / static_cast<double>(channels);
    drift.max_divergence = std::max(drift.max_divergence, divergence);
  }
  return drift;
}

}  // namespace stillwave::recalibration
