// What is known of the drift of one version of a model.
//
//   workers:           a batch has run ─► Offer: a share of its samples is copied ─► waiting samples (bounded)
//   observer's thread: waiting sample ─► LayerObserver ─► DecayedMoments of each layer ─► metrics
//   monitoring calls:  Report, Reset
//
// Workers never wait here: a sample that finds the queue full, or its lock taken, is dropped and counted. So samples
// are taken, dropped, or wait; requests are never touched.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "server/drift/decayed_moments.h"
#include "server/drift/divergence.h"
#include "server/drift/layer_observer.h"
#include "server/drift/sample_bell.h"
#include "server/execution/execution_context.h"
#include "server/metrics/drift_metrics.h"
#include "server/metrics/server_metrics.h"
#include "server/model/drift_options.h"
#include "server/model/loaded_model.h"
#include "server/tensor/tensor.h"

namespace stillwave::drift {

struct LayerReport {
  std::string name;
  StoredStatistics stored;
  // Of the samples seen; all 0 before the first.
  std::vector<double> live_mean;
  std::vector<double> live_variance;
  // Nothing has changed, before the first sample.
  std::vector<ChannelDrift> channels;
  LayerDrift summary;
};

struct DriftReport {
  int64_t samples = 0;  // observed since the load or the last reset
  double weight = 0;    // of them, after decay
  // Enough samples for the metrics to be there.
  bool sufficient = false;
  std::vector<LayerReport> layers;
};

// Thread-safe; ObserveNext from one thread at a time.
class DriftWatch {
 public:
  // Samples that may wait, and their bytes (but one sample may always wait).
  static constexpr size_t kMaxWaitingSamples = 64;
  static constexpr size_t kMaxWaitingBytes = size_t{16} << 20;

  // `counters` live as long as `model`; `metrics` outlives the watch. `bell` is rung once for each sample that waits.
  // REQUIRES: options.sample_rate > 0.
  DriftWatch(std::shared_ptr<const model::LoadedModel> model, const model::DriftOptions& options,
             const metrics::ModelMetrics* counters, std::unique_ptr<metrics::DriftGauges> gauges,
             std::shared_ptr<SampleBell> bell);
  ~DriftWatch();
  DriftWatch(const DriftWatch&) = delete;
  DriftWatch& operator=(const DriftWatch&) = delete;

  const model::DriftOptions& options() const { return options_; }
  // That can be watched. 0: nothing is sampled.
  size_t layers() const { return layers_; }

  // Takes its share of N samples that were computed: inputs[i] is {N, …} in signature order, what follows the
  // signature's inputs is not looked at. For one that is not taken it costs a few nanoseconds and no lock.
  // `new_part` says of a row how much of it no sample before it had: one that is mostly old is taken as much more
  // rarely, so that what is taken stays the same share of the data, and its cost of the cost, however windows overlap.
  void Offer(absl::Span<const tensor::TensorView> inputs, absl::FunctionRef<double(int64_t row)> new_part)
      ABSL_LOCKS_EXCLUDED(queue_mutex_);
  void Offer(absl::Span<const tensor::TensorView> inputs) ABSL_LOCKS_EXCLUDED(queue_mutex_) {
    Offer(inputs, [](int64_t) { return 1.0; });
  }

  // Observes the sample that has waited longest; false when none waits.
  bool ObserveNext(execution::ExecutionContext& context) ABSL_LOCKS_EXCLUDED(queue_mutex_, mutex_);

  DriftReport Report() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Forgets what was seen and what waits; how many samples had been seen. One that is just being observed is forgotten
  // too.
  int64_t Reset() ABSL_LOCKS_EXCLUDED(queue_mutex_, mutex_);

  // Blocks until no sample waits or is being observed. For tests.
  void AwaitObserved() const ABSL_LOCKS_EXCLUDED(queue_mutex_);

 private:
  using Sample = std::vector<tensor::Tensor>;  // {1, …} each

  // `part`: of the samples that it would pick of whole ones.
  bool Picks(uint64_t number, double part) const;
  void Enqueue(absl::Span<const tensor::TensorView> inputs, int64_t row) ABSL_LOCKS_EXCLUDED(queue_mutex_);
  bool Take(Sample& sample) ABSL_LOCKS_EXCLUDED(queue_mutex_);
  void Learn(const std::vector<ChannelMoments>& layers, uint64_t generation) ABSL_LOCKS_EXCLUDED(mutex_);
  void Fail(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<ChannelDrift> Compare(size_t layer) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  bool IsQuiet() const ABSL_SHARED_LOCKS_REQUIRED(queue_mutex_) { return waiting_.empty() && !observing_; }
  uint64_t Generation() const ABSL_LOCKS_EXCLUDED(mutex_);

  const model::DriftOptions options_;
  const metrics::ModelMetrics* const counters_;
  const std::shared_ptr<SampleBell> bell_;
  const size_t inputs_;  // of the model's signature
  LayerObserver observer_;
  const size_t layers_;
  std::atomic<uint64_t> offered_{0};

  mutable absl::Mutex queue_mutex_;
  std::deque<Sample> waiting_ ABSL_GUARDED_BY(queue_mutex_);
  size_t waiting_bytes_ ABSL_GUARDED_BY(queue_mutex_) = 0;
  bool observing_ ABSL_GUARDED_BY(queue_mutex_) = false;

  mutable absl::Mutex mutex_;
  std::vector<DecayedMoments> moments_ ABSL_GUARDED_BY(mutex_);  // one a layer
  uint64_t generation_ ABSL_GUARDED_BY(mutex_) = 0;              // resets so far
  bool failed_ ABSL_GUARDED_BY(mutex_) = false;                  // the log has said so
  const std::unique_ptr<metrics::DriftGauges> gauges_;
};

}  // namespace stillwave::drift
