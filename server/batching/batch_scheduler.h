// Worker threads and one bounded queue for each model.
//
//   ModelQueue A ─┐                          ┌─ worker 1 (its own ExecutionContext)
//   ModelQueue B ─┼─ policy: least compute  ─┼─ worker 2
//   ModelQueue C ─┘   time by weight first   └─ timer: answers waiting tasks whose time is up, ends delays
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/clock.h"
#include "server/batching/inference_task.h"
#include "server/metrics/server_metrics.h"
#include "server/model/batch_runner.h"
#include "server/model/batching_options.h"
#include "server/tensor/data_type.h"

namespace stillwave::batching {

struct ModelQueueOptions {
  // For messages.
  std::string name;
  // Samples that one call of the runner takes. Positive.
  int64_t max_batch_size = 32;
  // Samples that may wait in each priority level whose policy does not say otherwise; those that a worker has taken do
  // not count. Positive.
  int64_t max_queue_samples = 4096;
  // Batches of this model that may run at the same time. 0: as many as there are workers.
  int max_running_batches = 0;
  // As they come out of a model's configuration, which checks their ranges.
  model::BatchingOptions batching;
  // Element types of the runner's outputs, in order. What is not named is FP32.
  std::vector<tensor::DataType> output_types;
};

namespace internal {
class SchedulerCore;
struct QueueState;
}  // namespace internal

// The way in for one model's tasks. Thread-safe.
class ModelQueue {
 public:
  ModelQueue(std::shared_ptr<internal::SchedulerCore> core, std::shared_ptr<internal::QueueState> state);
  // Refuses new tasks. What was accepted is still answered, and the runner lives until then; the destructor does not
  // wait for it, so the last handle may be dropped anywhere, in a task's `done` too.
  ~ModelQueue();
  ModelQueue(const ModelQueue&) = delete;
  ModelQueue& operator=(const ModelQueue&) = delete;

  // Never blocks, unless the task may be computed by this thread. OK: `task.done` will be called, or was called,
  // exactly once. Otherwise it is not called and destroyed: RESOURCE_EXHAUSTED when the queue is full, UNAVAILABLE when
  // the scheduler drains or the queue is closed, DEADLINE_EXCEEDED when the deadline has passed already or will have
  // before what waits is computed, CANCELLED when it was cancelled. REQUIRES: task.samples > 0 and inputs are valid.
  absl::Status Submit(InferenceTask task);

  // As Submit, for those who try again: a refused task is left as it was, and not counted as a rejection.
  absl::Status TrySubmit(InferenceTask& task);

  // Calls `ready` once, when a task of `samples` and the default priority may be accepted again: at once, from this
  // thread, if that is now; else from a thread of the scheduler. Called too when the queue closes or the scheduler
  // drains. For those who can wait, as streams do; a slot is not reserved. `ready` must not block.
  void WhenSpaceFrees(int64_t samples, absl::AnyInvocable<void()> ready);

  // Refuses new tasks and waits until all accepted ones are answered. REQUIRES: not called from a task's `done`.
  void Close();

  const ModelQueueOptions& options() const;
  // How many samples, of so many elements, a task of the default priority should have that cannot be divided: it takes
  // no worker longer than a batch may, and finds space where others wait too. At least 1.
  int64_t MostUndivided(int64_t elements) const;
  int64_t waiting_samples() const;

 private:
  const std::shared_ptr<internal::SchedulerCore> core_;
  const std::shared_ptr<internal::QueueState> state_;
};

// A task that finds an idle worker runs at once, in parts on several if it is large. Else it waits in its model's
// queue; a freed worker takes up to max_batch_size samples of tasks with equal per-sample shapes, oldest first, of the
// model that got the least compute time for its weight. A task whose deadline passes while it waits is answered with
// DEADLINE_EXCEEDED at that time, by a thread that does nothing else; one that is cancelled, by who cancels it. Neither
// is computed. Thread-safe.
class BatchScheduler {
 public:
  struct Options {
    // Threads that compute. At least 1; FindCpuGrant says how many are useful.
    int workers = 1;
    // Outlives the scheduler.
    const base::Clock* clock = &base::RealClock::Get();
    // A task that is expected to take no longer is computed by the thread that submits it, if the task allows that, in
    // the place of an idle worker: never more than `workers` threads compute. 0: never. Not for models that preserve
    // the order of answers or have a queue delay.
    absl::Duration inline_compute = absl::ZeroDuration();
    // Expected computation that is worth waking another idle worker for, when a task of many samples is split. 0: any.
    absl::Duration least_part = absl::Microseconds(200);
    // A task is refused when what waits before it in its model's queue would take all workers longer, by the fastest
    // computations of late; unless fewer than 64 tasks wait. A queue that is bounded in samples alone holds seconds of
    // a fast model and minutes of a slow one, and who is answered so late has mostly gone.
    absl::Duration max_queue_wait = absl::InfiniteDuration();
  };

  explicit BatchScheduler(const Options& options);
  // Drains.
  ~BatchScheduler();
  BatchScheduler(const BatchScheduler&) = delete;
  BatchScheduler& operator=(const BatchScheduler&) = delete;

  // `metrics` outlives the scheduler and all handles. INVALID_ARGUMENT for an option out of its range. A handle may
  // outlive the scheduler; it then refuses.
  absl::StatusOr<std::shared_ptr<ModelQueue>> AddModel(std::shared_ptr<const model::BatchRunner> runner,
                                                       ModelQueueOptions options, const metrics::ModelMetrics* metrics);

  // Refuses new tasks with UNAVAILABLE, finishes all accepted ones and ends the threads. Blocks until then; may be
  // called again. REQUIRES: not called from a task's `done`.
  void Drain();

  // Answers waiting tasks whose deadline has passed by the clock, and ends delays. The timer's thread does the same by
  // itself; a test that steps a fake clock calls it.
  void RunTimers();

  // Blocks until every worker sleeps and nothing waits. For tests: what a task took is booked after its answer.
  void AwaitIdle();

  int workers() const;

 private:
  const std::shared_ptr<internal::SchedulerCore> core_;
};

}  // namespace stillwave::batching
