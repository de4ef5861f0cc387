#include "server/metrics/drift_metrics.h"

#include <cstddef>
#include <iterator>

namespace stillwave::metrics {
namespace {

using prometheus::Gauge;
using DriftFamily = prometheus::Family<Gauge>;

constexpr const char* kStatistics[] = {"mean", "max"};

DriftFamily* AddFamily(prometheus::Registry& registry, const char* name, const char* help) {
  return &prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

}  // namespace

DriftMetrics::DriftMetrics(prometheus::Registry& registry)
    : families_{AddFamily(registry, "stillwave_batchnorm_mean_shift",
                          "Distance of a normalization layer's live mean from its stored one, in stored standard "
                          "deviations; mean and max over channels."),
                AddFamily(registry, "stillwave_batchnorm_variance_ratio",
                          "Live variance of a normalization layer's input divided by the stored one; mean and max over "
                          "channels."),
                AddFamily(registry, "stillwave_batchnorm_divergence",
                          "Kullback-Leibler divergence, in nats, of a normalization layer's live input from its stored "
                          "statistics; mean and max over channels.")} {}

std::unique_ptr<DriftGauges> DriftMetrics::ForVersion(absl::string_view model, absl::string_view version) {
  return std::make_unique<DriftGauges>(this, std::string(model), std::string(version));
}

DriftMetrics::LayerGauges DriftMetrics::AddLayer(const VersionKey& key, const std::string& layer) const {
  LayerGauges gauges;
  for (DriftFamily* const family : families_) {
    for (const char* statistic : kStatistics) {
      gauges.push_back(
          &family->Add({{"model", key.first}, {"version", key.second}, {"layer", layer}, {"statistic", statistic}}));
    }
  }
  return gauges;
}

void DriftMetrics::Set(const DriftGauges* owner, const VersionKey& key, const std::string& layer,
                       const LayerFigures& figures) {
  const double values[] = {figures.mean.mean_shift,    figures.max.mean_shift,  figures.mean.variance_ratio,
                           figures.max.variance_ratio, figures.mean.divergence, figures.max.divergence};
  const absl::MutexLock lock(&mutex_);
  Version& version = versions_[key];
  version.owner = owner;
  LayerGauges& gauges = version.layers[layer];
  if (gauges.empty()) gauges = AddLayer(key, layer);
  for (size_t i = 0; i < std::size(values); ++i) gauges[i]->Set(values[i]);
}

void DriftMetrics::Remove(const DriftGauges* owner, const VersionKey& key) {
  const absl::MutexLock lock(&mutex_);
  const auto found = versions_.find(key);
  if (found == versions_.end() || found->second.owner != owner) return;
  for (const auto& [layer, gauges] : found->second.layers) {
    for (size_t i = 0; i < gauges.size(); ++i) families_[i / std::size(kStatistics)]->Remove(gauges[i]);
  }
  versions_.erase(found);
}

}  // namespace stillwave::metrics
