#include "server/drift/divergence.h"

#include <algorithm>
#include <cmath>

namespace stillwave::drift {
namespace {

// Below any epsilon that a framework writes; keeps a layer with ε = 0 and a variance of 0 finite.
constexpr double kLeastVariance = 1e-12;

}  // namespace

ChannelDrift CompareChannel(double live_mean, double live_variance, double stored_mean, double stored_variance,
                            double epsilon) {
  const double least = std::max(epsilon, kLeastVariance);
  const double stored = stored_variance + least;
  ChannelDrift drift;
  drift.mean_shift = std::abs(live_mean - stored_mean) / std::sqrt(stored);
  drift.variance_ratio = (live_variance + least) / stored;
  const double divergence =
      0.5 * (drift.variance_ratio - 1 - std::log(drift.variance_ratio) + drift.mean_shift * drift.mean_shift);
  drift.divergence = std::max(divergence, 0.0);  // rounding, where nothing has changed
  return drift;
}

LayerDrift Summarize(absl::Span<const ChannelDrift> channels) {
  LayerDrift layer;
  if (channels.empty()) return layer;
  layer.mean = {0, 0, 0};
  layer.max = channels[0];
  const auto count = static_cast<double>(channels.size());
  for (const ChannelDrift& channel : channels) {
    layer.mean.mean_shift += channel.mean_shift / count;
    layer.mean.variance_ratio += channel.variance_ratio / count;
    layer.mean.divergence += channel.divergence / count;
    layer.max.mean_shift = std::max(layer.max.mean_shift, channel.mean_shift);
    layer.max.variance_ratio = std::max(layer.max.variance_ratio, channel.variance_ratio);
    layer.max.divergence = std::max(layer.max.divergence, channel.divergence);
  }
  return layer;
}

}  // namespace stillwave::drift
