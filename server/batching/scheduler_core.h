// What BatchScheduler and its ModelQueue handles share: the queues, the threads and the one lock over them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/base/clock.h"
#include "server/batching/batch_policy.h"
#include "server/batching/batch_queue.h"
#include "server/batching/batch_scheduler.h"
#include "server/execution/execution_context.h"

namespace stillwave::batching::internal {

using Callback = absl::AnyInvocable<void()>;

// Somebody who asked for WhenSpaceFrees.
struct SpaceWaiter {
  int64_t samples;
  Callback ready;
};

// One model's queue. `data` belongs to the core's lock: see SchedulerCore::Data.
struct QueueState {
  QueueState(std::shared_ptr<const model::BatchRunner> batch_runner, ModelQueueOptions queue_options,
             const metrics::ModelMetrics* model_metrics)
      : runner(std::move(batch_runner)),
        options(std::move(queue_options)),
        metrics(model_metrics),
        data(options.max_queue_samples) {}

  const std::shared_ptr<const model::BatchRunner> runner;
  const ModelQueueOptions options;
  const metrics::ModelMetrics* const metrics;

 private:
  friend class SchedulerCore;
  struct Guarded {
    explicit Guarded(int64_t max_queue_samples) : queue(max_queue_samples) {}
    bool AllAnswered() const { return accepted == 0; }

    BatchQueue queue;
    int64_t accepted = 0;  // tasks accepted and not answered yet
    int running_batches = 0;
    uint64_t last_service = 0;
    bool closed = false;
    std::vector<SpaceWaiter> space_waiters;
  };
  Guarded data;
};

// What a thread takes out of the queues under the lock, to be worked off without it.
struct Work {
  std::shared_ptr<QueueState> state;
  std::vector<WaitingTask> overdue;  // to be answered with DEADLINE_EXCEEDED
  std::vector<WaitingTask> batch;    // to be computed
  int64_t tasks = 0;                 // in overdue and batch, when they were taken
  bool computes = false;             // there is a batch
  metrics::BatchReason reason = metrics::BatchReason::kIdle;
  std::vector<Callback> space_freed;
};

// Thread-safe.
class SchedulerCore {
 public:
  explicit SchedulerCore(const BatchScheduler::Options& options);
  ~SchedulerCore() { Drain(); }

  void AddQueue(std::shared_ptr<QueueState> state) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status TrySubmit(QueueState& state, InferenceTask& task) ABSL_LOCKS_EXCLUDED(mutex_);
  void WhenSpaceFrees(QueueState& state, int64_t samples, Callback ready) ABSL_LOCKS_EXCLUDED(mutex_);
  // Refuses new tasks of the queue; `wait`: until the accepted ones are answered.
  void Close(QueueState& state, bool wait) ABSL_LOCKS_EXCLUDED(mutex_);
  int64_t WaitingSamples(QueueState& state) const ABSL_LOCKS_EXCLUDED(mutex_);

  void Drain() ABSL_LOCKS_EXCLUDED(mutex_, join_mutex_);
  void ExpireOverdue() ABSL_LOCKS_EXCLUDED(mutex_);
  int workers() const { return options_.workers; }

 private:
  QueueState::Guarded& Data(QueueState& state) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return state.data; }

  // The bodies of the threads.
  void ComputeBatches() ABSL_LOCKS_EXCLUDED(mutex_);
  void KeepDeadlines() ABSL_LOCKS_EXCLUDED(mutex_);

  // Blocks until there is something to do for an idle worker; nothing when the worker is to end. Books `done_with`,
  // which the worker has finished, first.
  std::optional<Work> NextWork(const Work* done_with) ABSL_LOCKS_EXCLUDED(mutex_);
  // What the policy decides now, taken out of the queues; nothing when it decides to wait.
  std::optional<Work> TakeWork(int idle_workers) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Work TakeOverdue(const std::shared_ptr<QueueState>& state, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Work TakeBatch(const std::shared_ptr<QueueState>& state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // After tasks were taken out of the queue: gauge, and who waited for space.
  void Taken(Work& work) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Book(const Work& work) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Answers what the work holds, computing the batch.
  void Do(Work& work, execution::ExecutionContext* context) ABSL_LOCKS_EXCLUDED(mutex_);

  // Named conditions.
  bool WorkerIsNeeded() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool DeadlineThreadIsNeeded() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return rearm_ || Ended(); }
  bool Ended() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return draining_ && waiting_tasks_ == 0; }

  const BatchScheduler::Options options_;

  mutable absl::Mutex mutex_;
  std::vector<std::shared_ptr<QueueState>> queues_ ABSL_GUARDED_BY(mutex_);
  std::vector<QueueSnapshot> snapshots_ ABSL_GUARDED_BY(mutex_);  // scratch of TakeWork
  int64_t waiting_tasks_ ABSL_GUARDED_BY(mutex_) = 0;             // over all queues
  uint64_t services_ ABSL_GUARDED_BY(mutex_) = 0;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  // When the deadline thread looks again. Kept when the task it was set for is taken, so that a stream of requests with
  // deadlines wakes that thread seldom.
  absl::Time armed_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  bool rearm_ ABSL_GUARDED_BY(mutex_) = false;

  absl::Mutex join_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(join_mutex_);
};

}  // namespace stillwave::batching::internal
