// Gauges of how far the layers of a model version have drifted; they come with the first figures and go with the
// version, or when its figures are reset.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"

namespace stillwave::metrics {

// Over the channels of a layer, one of label `statistic`.
struct DriftFigures {
  double mean_shift = 0;
  double variance_ratio = 1;
  double divergence = 0;
};
struct LayerFigures {
  DriftFigures mean;
  DriftFigures max;
};

class DriftGauges;

// Thread-safe.
class DriftMetrics {
 public:
  // The registry outlives it.
  explicit DriftMetrics(prometheus::Registry& registry);
  DriftMetrics(const DriftMetrics&) = delete;
  DriftMetrics& operator=(const DriftMetrics&) = delete;

  // For a version that is loaded. Two of the same version may be there for a while, when it is loaded again and the one
  // before still has requests: the gauges are those of the one that was set last. REQUIRES: gone before this object.
  std::unique_ptr<DriftGauges> ForVersion(absl::string_view model, absl::string_view version);

 private:
  friend class DriftGauges;
  using VersionKey = std::pair<std::string, std::string>;  // model, version
  // shift, ratio, divergence; each as mean and max
  using LayerGauges = std::vector<prometheus::Gauge*>;
  struct Version {
    const DriftGauges* owner = nullptr;
    std::map<std::string, LayerGauges> layers;
  };

  void Set(const DriftGauges* owner, const VersionKey& key, const std::string& layer, const LayerFigures& figures)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void Remove(const DriftGauges* owner, const VersionKey& key) ABSL_LOCKS_EXCLUDED(mutex_);
  LayerGauges AddLayer(const VersionKey& key, const std::string& layer) const;

  const std::vector<prometheus::Family<prometheus::Gauge>*> families_;
  absl::Mutex mutex_;
  std::map<VersionKey, Version> versions_ ABSL_GUARDED_BY(mutex_);
};

// Thread-safe.
class DriftGauges {
 public:
  DriftGauges(DriftMetrics* metrics, std::string model, std::string version)
      : metrics_(metrics), key_(std::move(model), std::move(version)) {}
  ~DriftGauges() { Clear(); }
  DriftGauges(const DriftGauges&) = delete;
  DriftGauges& operator=(const DriftGauges&) = delete;

  void Set(const std::string& layer, const LayerFigures& figures) const { metrics_->Set(this, key_, layer, figures); }
  // There are no figures any more.
  void Clear() const { metrics_->Remove(this, key_); }

 private:
  DriftMetrics* const metrics_;
  const DriftMetrics::VersionKey key_;
};

}  // namespace stillwave::metrics
