// From a file and its configuration to a version that answers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "server/batching/batch_scheduler.h"
#include "server/drift/drift_watch.h"
#include "server/drift/observer_thread.h"
#include "server/metrics/server_metrics.h"
#include "server/model/loaded_model.h"
#include "server/model/model_config.h"
#include "server/repository/loader_threads.h"
#include "server/repository/served_model.h"

namespace stillwave::repository {

// Thread-safe.
class VersionLoader {
 public:
  using LoadedModelPtr = std::shared_ptr<const model::LoadedModel>;
  using Reader = absl::FunctionRef<absl::StatusOr<LoadedModelPtr>(const model::LoadOptions& options)>;

  // `scheduler` and `metrics` outlive the loader and all that it loaded, `observer` the loader. `threads` free what
  // nobody holds any more.
  VersionLoader(batching::BatchScheduler* scheduler, metrics::ServerMetrics* metrics, drift::ObserverThread* observer,
                std::shared_ptr<LoaderThreads> threads);

  // Loads on the calling thread: reads with `read`, compiles, warms up as the configuration asks, and opens a queue.
  // Logs and counts the outcome. CANCELLED when `stop_requested` (asked from time to time; may be empty) said so;
  // otherwise the refusal.
  absl::StatusOr<std::shared_ptr<const ServedModel>> Load(const model::ModelConfig& config, int64_t version,
                                                          const std::function<bool()>& stop_requested, Reader read);

 private:
  absl::StatusOr<std::shared_ptr<const ServedModel>> Serve(const model::ModelConfig& config, int64_t version,
                                                           const std::function<bool()>& stop_requested, Reader read);

  // Null where the configuration does not want it.
  std::shared_ptr<drift::DriftWatch> WatchDrift(const model::ModelConfig& config, const std::string& version,
                                                const LoadedModelPtr& model,
                                                const metrics::ModelMetrics* metrics) const;

  batching::BatchScheduler* const scheduler_;
  metrics::ServerMetrics* const metrics_;
  drift::ObserverThread* const observer_;
  const std::weak_ptr<LoaderThreads> threads_;
};

}  // namespace stillwave::repository
