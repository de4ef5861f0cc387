#include "client/drift_response.h"

namespace stillwave::client {
namespace {

DriftFigures FromMessage(const v1::DriftFigures& figures) {
  return {figures.mean_shift(), figures.variance_ratio(), figures.divergence()};
}

}  // namespace

DriftInfo FromDriftReport(const v1::DriftReport& report) {
  DriftInfo info;
  info.model_name = report.model_name();
  info.model_version = report.model_version();
  info.sample_rate = report.sample_rate();
  info.half_life_samples = report.half_life_samples();
  info.minimum_samples = report.minimum_samples();
  info.sufficient = report.sufficient();
  info.samples = report.samples();
  info.weight = report.weight();
  info.dropped_samples = report.dropped_samples();
  for (const v1::LayerDrift& message : report.layers()) {
    DriftLayer& layer = info.layers.emplace_back();
    layer.name = message.name();
    layer.mean = FromMessage(message.mean());
    layer.max = FromMessage(message.max());
    layer.epsilon = message.epsilon();
    for (const v1::ChannelDrift& channel : message.channels()) {
      layer.channels.push_back({channel.live_mean(), channel.live_variance(), channel.stored_mean(),
                                channel.stored_variance(), FromMessage(channel.figures())});
    }
  }
  return info;
}

}  // namespace stillwave::client
