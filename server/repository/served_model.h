// One version of a model that answers requests.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "server/batching/batch_scheduler.h"
#include "server/drift/drift_watch.h"
#include "server/metrics/server_metrics.h"
#include "server/model/loaded_model.h"
#include "server/model/model_config.h"
#include "server/model/model_signature.h"
#include "server/overlap/overlap_runner.h"

namespace stillwave::repository {

// A handle to it keeps the version loaded: hold it while a request runs, not longer. Immutable and thread-safe.
class ServedModel {
 public:
  ServedModel(model::ModelConfig config, int64_t version, model::ModelSignature signature,
              std::shared_ptr<const model::LoadedModel> model, std::shared_ptr<const overlap::OverlapRunner> overlap,
              std::shared_ptr<batching::ModelQueue> queue, std::shared_ptr<drift::DriftWatch> drift,
              const metrics::ModelMetrics* metrics);

  const std::string& name() const { return config_.name; }
  const std::string& version() const { return version_text_; }
  int64_t version_number() const { return version_; }
  // What requests are checked against: the file's, narrowed by the configuration.
  const model::ModelSignature& signature() const { return signature_; }
  // Samples that one request may have.
  int64_t max_batch_size() const { return config_.max_batch_size; }
  // Samples per window when a stream asks for none: configured, or the model's fixed time axis. 0: a stream must say.
  int64_t window_length() const;
  // 0: not configured.
  int64_t hop() const { return config_.hop; }
  const model::ModelConfig& config() const { return config_; }

  const std::shared_ptr<const model::LoadedModel>& model() const { return model_; }
  // What the queue runs: the model, and windows of series that keep what they share.
  const std::shared_ptr<const overlap::OverlapRunner>& overlap() const { return overlap_; }
  // Shared so that a task's `done` may keep it; see ModelQueue for what a handle means.
  const std::shared_ptr<batching::ModelQueue>& queue() const { return queue_; }
  // Null where drift_sample_rate is 0.
  const std::shared_ptr<drift::DriftWatch>& drift() const { return drift_; }
  const metrics::ModelMetrics& metrics() const { return *metrics_; }

 private:
  const model::ModelConfig config_;
  const int64_t version_;
  const std::string version_text_;
  const model::ModelSignature signature_;
  const std::shared_ptr<const model::LoadedModel> model_;
  const std::shared_ptr<const overlap::OverlapRunner> overlap_;
  const std::shared_ptr<batching::ModelQueue> queue_;
  const std::shared_ptr<drift::DriftWatch> drift_;
  const metrics::ModelMetrics* const metrics_;
};

}  // namespace stillwave::repository
