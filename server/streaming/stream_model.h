// What a series needs of the model that it opens.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/batching/batch_scheduler.h"
#include "server/metrics/server_metrics.h"
#include "server/model/batch_runner.h"
#include "server/model/model_signature.h"
#include "server/overlap/overlap_runner.h"

namespace stillwave::streaming {

// A handle: the version stays loaded as long as it is held.
struct StreamModel {
  std::string name;
  std::string version;
  model::ModelSignature signature;
  // Configured for the model, used where the series gives none. 0: not configured.
  int64_t window_length = 0;
  int64_t hop = 0;
  std::shared_ptr<const model::BatchRunner> runner;
  std::shared_ptr<batching::ModelQueue> queue;
  // What the queue runs, if it can keep what windows share; null: every window is computed in full.
  std::shared_ptr<const overlap::OverlapRunner> overlap;
  const metrics::ModelMetrics* metrics = nullptr;
};

// Finds a model by name and version ("": the newest that is ready). NOT_FOUND or UNAVAILABLE as for any request.
// Thread-safe.
using ModelSource = std::function<absl::StatusOr<StreamModel>(absl::string_view name, absl::string_view version)>;

}  // namespace stillwave::streaming
