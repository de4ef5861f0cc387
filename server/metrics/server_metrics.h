// Every metric of the server: its name, help, unit, labels and buckets are said here and in server_metrics.cc, nowhere
// else.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "server/metrics/histogram.h"

namespace stillwave::metrics {

// Label `method`. A request is a call of ModelInfer, a message of ModelStreamInfer or a series of StreamWindows (which
// is counted when it ends).
enum class Method { kModelInfer, kModelStreamInfer, kStreamWindows };
inline constexpr size_t kMethodCount = 3;

// Label `code`: the canonical codes, 0 (OK) to 16 (UNAUTHENTICATED), by name as in "NOT_FOUND".
inline constexpr size_t kCodeCount = 17;

// Label `reason` of batches_total: why a worker ran the batch as it was.
enum class BatchReason {
  kIdle,   // a worker was free and no more samples were waiting
  kFull,   // max_batch_size reached, or the next task would exceed it
  kDelay,  // max_queue_delay passed
  kDrain,  // the server is stopping
};
inline constexpr size_t kBatchReasonCount = 4;

// Label `reason` of rejections_total: why a request was not computed although it was valid.
enum class Rejection {
  kQueueFull,
  kDeadline,
  kCancelled,
  kDraining,
  kNotReady,
  kTooManyStreams,
  kTooManySeries,
};
inline constexpr size_t kRejectionCount = 7;

// The children of one (model, version), resolved when the model is loaded, so that a request takes no lock. All members
// point into the ServerMetrics that made it and live as long as it does. Thread-safe.
struct ModelMetrics {
  std::array<std::array<prometheus::Counter*, kCodeCount>, kMethodCount> requests{};
  // By Method; null for kStreamWindows, whose length says nothing (see stream_window_duration).
  std::array<Histogram*, kMethodCount> request_duration{};

  Histogram* queue_duration = nullptr;    // one observation a request that reached a worker
  Histogram* compute_duration = nullptr;  // one observation a request
  prometheus::Counter* samples = nullptr;
  Histogram* batch_samples = nullptr;  // one observation a batch
  std::array<prometheus::Counter*, kBatchReasonCount> batches{};
  prometheus::Gauge* queue_samples = nullptr;
  std::array<prometheus::Counter*, kRejectionCount> rejections{};

  prometheus::Gauge* stream_series = nullptr;
  prometheus::Counter* stream_windows = nullptr;
  Histogram* stream_window_duration = nullptr;  // from the window's last sample to its result
  prometheus::Counter* stream_computed_samples = nullptr;

  prometheus::Gauge* ready = nullptr;  // 1 or 0
  prometheus::Gauge* load_duration = nullptr;
  Histogram* plan_compile_duration = nullptr;  // one observation a plan: the first request of new shapes waits for it

  // One finished request: counter and, where there is one, duration.
  void CountRequest(Method method, absl::StatusCode code, absl::Duration duration) const;
  void CountBatch(BatchReason reason, int64_t samples_in_batch) const;
  void CountRejection(Rejection reason) const { rejections[static_cast<size_t>(reason)]->Increment(); }
};

// Owns all metrics. Thread-safe.
class ServerMetrics {
 public:
  ServerMetrics();
  ~ServerMetrics();
  ServerMetrics(const ServerMetrics&) = delete;
  ServerMetrics& operator=(const ServerMetrics&) = delete;

  // The children for a model of the repository, made on first use; the reference stays valid. Takes a lock: call it at
  // load. Never call it with a name that a client sent, who could invent any number of them: see unknown_model.
  const ModelMetrics& ForModel(absl::string_view model, absl::string_view version);

  // model="" and version="": for requests that name no model of the repository, or none at all. Only requests,
  // request_duration and rejections are set; the rest is null.
  const ModelMetrics& unknown_model() const { return *unknown_model_; }

  // Open calls of StreamWindows.
  prometheus::Gauge& streams() { return *streams_; }

  // Sets model_info{…} to 1 for the version, replacing what it said before.
  void SetModelInfo(absl::string_view model, absl::string_view version, absl::string_view sha256,
                    absl::string_view precision, absl::string_view batchnorm);
  void RemoveModelInfo(absl::string_view model, absl::string_view version);

  // Everything, process_* included, in Prometheus' text format 0.0.4.
  std::string Text() const;

 private:
  struct Families;
  using ModelKey = std::pair<std::string, std::string>;  // model, version

  std::unique_ptr<ModelMetrics> ResolveRequests(const std::string& model, const std::string& version) const;
  std::unique_ptr<ModelMetrics> ResolveModel(const std::string& model, const std::string& version) const;

  const std::unique_ptr<Families> families_;
  prometheus::Gauge* const streams_;
  std::unique_ptr<const ModelMetrics> unknown_model_;
  absl::Mutex mutex_;
  std::map<ModelKey, std::unique_ptr<const ModelMetrics>> models_ ABSL_GUARDED_BY(mutex_);
  std::map<ModelKey, prometheus::Gauge*> infos_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stillwave::metrics
