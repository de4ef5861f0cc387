#include "server/service/drift_response.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/quoted.h"
#include "server/base/status_macros.h"
#include "server/drift/drift_watch.h"

namespace stillwave::service {
namespace {

void DescribeFigures(const drift::ChannelDrift& figures, v1::DriftFigures* message) {
  message->set_mean_shift(figures.mean_shift);
  message->set_variance_ratio(figures.variance_ratio);
  message->set_divergence(figures.divergence);
}

void DescribeChannels(const drift::LayerReport& layer, v1::LayerDrift* message) {
  for (size_t c = 0; c < layer.channels.size(); ++c) {
    v1::ChannelDrift* const channel = message->add_channels();
    channel->set_live_mean(layer.live_mean[c]);
    channel->set_live_variance(layer.live_variance[c]);
    channel->set_stored_mean(layer.stored.mean[c]);
    channel->set_stored_variance(layer.stored.variance[c]);
    DescribeFigures(layer.channels[c], channel->mutable_figures());
  }
}

int64_t DroppedSamples(const metrics::ModelMetrics& metrics) {
  double dropped = 0;
  for (const prometheus::Counter* const counter : metrics.drift_drops) dropped += counter->Value();
  return static_cast<int64_t>(dropped);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const repository::ServedModel>> FindWatched(
    const repository::ModelRepository& repository, const std::string& name, const std::string& version) {
  ASSIGN_OR_RETURN(std::shared_ptr<const repository::ServedModel> model, repository.Find(name, version));
  if (model->drift() == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("the drift of model ", base::Quoted(name),
                     " is not watched: drift_sample_rate must be above 0 (config.pbtxt, --drift_sample_rate); is 0"));
  }
  if (model->drift()->layers() == 0) {
    return absl::FailedPreconditionError(absl::StrCat("the drift of model ", base::Quoted(name),
                                                      " cannot be watched: its file has no batch normalization layer. "
                                                      "Exporters fold it into convolutions unless told "
                                                      "otherwise; docs/drift.md says how to keep it"));
  }
  return model;
}

v1::DriftReport DescribeDrift(const repository::ServedModel& model, bool with_channels) {
  const drift::DriftWatch& watch = *model.drift();
  const drift::DriftReport report = watch.Report();
  v1::DriftReport message;
  message.set_model_name(model.name());
  message.set_model_version(model.version());
  message.set_sample_rate(watch.options().sample_rate);
  message.set_half_life_samples(watch.options().half_life);
  message.set_minimum_samples(watch.options().minimum_samples);
  message.set_sufficient(report.sufficient);
  message.set_samples(report.samples);
  message.set_weight(report.weight);
  message.set_dropped_samples(DroppedSamples(model.metrics()));
  for (const drift::LayerReport& layer : report.layers) {
    v1::LayerDrift* const described = message.add_layers();
    described->set_name(layer.name);
    described->set_epsilon(layer.stored.epsilon);
    DescribeFigures(layer.summary.mean, described->mutable_mean());
    DescribeFigures(layer.summary.max, described->mutable_max());
    if (with_channels) DescribeChannels(layer, described);
  }
  return message;
}

}  // namespace stillwave::service
