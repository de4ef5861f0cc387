// Every metric of the server: its name, help, unit, labels and buckets are said here and in server_metrics.cc, nowhere
// else.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
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
#include "server/metrics/model_statistics.h"

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
  kRequestMemory,  // the requests that are held have too many bytes
};
inline constexpr size_t kRejectionCount = 8;

// Label `reason` of drift_dropped_samples_total: why a sample that was picked for drift was not observed.
enum class DriftDrop {
  kQueueFull,  // too many wait, or their queue is being looked at
  kNotFinite,  // it made a NaN or an infinity at a watched layer
  kFailed,     // its shapes cannot be observed; the log says why
};
inline constexpr size_t kDriftDropCount = 3;

// Label `result` of model_loads_total.
enum class LoadResult { kReady, kRefused };
inline constexpr size_t kLoadResultCount = 2;

class DriftMetrics;

// The children of one (model, version), resolved when the model is loaded, so that a request takes no lock. All members
// point into the ServerMetrics that made it and live as long as whoever holds this. Thread-safe.
struct ModelMetrics {
  std::array<std::array<prometheus::Counter*, kCodeCount>, kMethodCount> requests{};
  // By Method; null for kStreamWindows, whose length says nothing (see stream_window_duration).
  std::array<Histogram*, kMethodCount> request_duration{};

  Histogram* queue_duration = nullptr;    // one observation a task: a request, or a series' windows
  Histogram* compute_duration = nullptr;  // one observation a task
  prometheus::Counter* samples = nullptr;
  prometheus::Counter* not_finite_samples = nullptr;
  Histogram* batch_samples = nullptr;  // one observation a batch
  std::array<prometheus::Counter*, kBatchReasonCount> batches{};
  prometheus::Gauge* queue_samples = nullptr;
  std::array<prometheus::Counter*, kRejectionCount> rejections{};

  prometheus::Gauge* stream_series = nullptr;
  prometheus::Gauge* stream_series_bytes = nullptr;  // that the open ones hold at most
  prometheus::Counter* stream_windows = nullptr;
  Histogram* stream_window_duration = nullptr;  // from the window's last sample to its result
  // Time steps of windows: computed for them, or kept from the window before; windows that were computed twice and came
  // out differently.
  prometheus::Counter* stream_computed_samples = nullptr;
  prometheus::Counter* stream_reused_samples = nullptr;
  prometheus::Counter* stream_verify_mismatches = nullptr;

  prometheus::Counter* drift_samples = nullptr;  // observed
  std::array<prometheus::Counter*, kDriftDropCount> drift_drops{};

  ModelStatistics* statistics = nullptr;       // of the protocol's ModelStatistics; null for the unknown model
  Histogram* plan_compile_duration = nullptr;  // one observation a plan: the first request of new shapes waits for it

  // One finished request: counter and, where there is one, duration. A series of StreamWindows is not in `statistics`:
  // its windows are.
  void CountRequest(Method method, absl::StatusCode code, absl::Duration duration) const;
  void CountBatch(BatchReason reason, int64_t samples_in_batch) const;
  // One window of a stream that was answered, `duration` after its last sample had come. `time_steps`: computed for it
  // and not counted yet.
  void CountWindow(int64_t time_steps, absl::Duration duration) const;
  void CountRejection(Rejection reason) const { rejections[static_cast<size_t>(reason)]->Increment(); }
  void CountDriftDrop(DriftDrop reason) const { drift_drops[static_cast<size_t>(reason)]->Increment(); }
};

// Owns all metrics. Thread-safe.
class ServerMetrics {
 public:
  ServerMetrics();
  ~ServerMetrics();
  ServerMetrics(const ServerMetrics&) = delete;
  ServerMetrics& operator=(const ServerMetrics&) = delete;

  // The children for a version of a model of the repository, made on first use. Their series are there as long as
  // somebody holds them, so that version after version does not make series without end; a version that is loaded again
  // while the one before is still held goes on with its counts. Takes a lock: call it at load. Never call it with a
  // name that a client sent, who could invent any number of them: see unknown_model. REQUIRES: let go of before this
  // object.
  std::shared_ptr<const ModelMetrics> ShareModel(absl::string_view model, absl::string_view version);
  // The same, held for good.
  const ModelMetrics& ForModel(absl::string_view model, absl::string_view version);

  // model="" and version="": for requests that name no model of the repository, or none at all. Only requests,
  // request_duration and rejections are set; the rest is null.
  const ModelMetrics& unknown_model() const { return *unknown_model_; }

  // Open calls of StreamWindows.
  prometheus::Gauge& streams() { return *streams_; }

  // The gauges of drift by layer.
  DriftMetrics& drift();

  // What is said of a version as long as the repository lists it, until RemoveVersion. model_info{…} is 1 with what
  // holds now.
  void SetModelInfo(absl::string_view model, absl::string_view version, absl::string_view sha256,
                    absl::string_view precision, absl::string_view batchnorm);
  void SetModelReady(absl::string_view model, absl::string_view version, bool ready);
  void SetLoadDuration(absl::string_view model, absl::string_view version, absl::Duration duration);
  void RemoveVersion(absl::string_view model, absl::string_view version);

  // One attempt to load a version, or to read a model's configuration; counted by model until RemoveModel.
  void CountLoad(absl::string_view model, LoadResult result);
  void RemoveModel(absl::string_view model);

  // Whether the last look at the repository's folder could read it.
  void SetRepositoryReadable(bool readable);

  // Everything, process_* included, in Prometheus' text format 0.0.4.
  std::string Text() const;

 private:
  struct Families;
  using ModelKey = std::pair<std::string, std::string>;  // model, version
  struct Held {
    std::unique_ptr<ModelStatistics> statistics;
    std::unique_ptr<const ModelMetrics> metrics;
    int64_t holders = 0;
  };
  struct Listed {
    prometheus::Gauge* info = nullptr;
    prometheus::Gauge* ready = nullptr;
    prometheus::Gauge* load_duration = nullptr;
  };

  std::unique_ptr<ModelMetrics> ResolveRequests(const std::string& model, const std::string& version) const;
  std::unique_ptr<ModelMetrics> ResolveModel(const std::string& model, const std::string& version) const;
  void RemoveChildren(const ModelMetrics& metrics) const;
  const ModelMetrics& Hold(const ModelKey& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LetGo(const ModelKey& key) ABSL_LOCKS_EXCLUDED(mutex_);

  const std::unique_ptr<Families> families_;
  prometheus::Gauge* const streams_;
  std::unique_ptr<const ModelMetrics> unknown_model_;
  absl::Mutex mutex_;
  std::map<ModelKey, Held> models_ ABSL_GUARDED_BY(mutex_);
  std::map<ModelKey, Listed> listed_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::array<prometheus::Counter*, kLoadResultCount>> loads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stillwave::metrics
