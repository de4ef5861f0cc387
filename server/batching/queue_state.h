// What the scheduler keeps for each model, and what a thread takes out of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "server/batching/answer_order.h"
#include "server/batching/batch_queue.h"
#include "server/batching/batch_run.h"
#include "server/batching/batch_scheduler.h"
#include "server/batching/compute_estimate.h"
#include "server/metrics/server_metrics.h"
#include "server/model/batch_runner.h"

namespace stillwave::batching::internal {

using Callback = absl::AnyInvocable<void()>;

// Somebody who asked for WhenSpaceFrees.
struct SpaceWaiter {
  int64_t samples;
  Callback ready;
};

// One model's queue. What is private belongs to FairQueues, and so to the lock that guards it.
struct QueueState {
  QueueState(std::shared_ptr<const model::BatchRunner> batch_runner, ModelQueueOptions queue_options,
             const metrics::ModelMetrics* model_metrics);

  const std::shared_ptr<const model::BatchRunner> runner;
  const ModelQueueOptions options;
  const metrics::ModelMetrics* const metrics;
  const std::unique_ptr<AnswerOrder> order;  // null: answers leave as they come

  BatchTarget target() const { return {*runner, options.output_types, options.max_batch_size, *metrics, order.get()}; }

 private:
  friend class FairQueues;
  static constexpr size_t kNotActive = static_cast<size_t>(-1);

  BatchQueue queue;
  ComputeEstimate estimate;
  int64_t accepted = 0;  // tasks accepted and not answered yet
  int running_batches = 0;
  int64_t virtual_time = 0;  // nanoseconds of compute, by weight
  uint64_t last_service = 0;
  bool closed = false;
  size_t active_index = kNotActive;  // where it stands in the list of queues in which tasks wait
  std::vector<SpaceWaiter> space_waiters;
};

// What a thread takes out of the queues under the lock, to be worked off without it, in this order. Its vectors keep
// their memory from one piece of work to the next.
struct Work {
  std::vector<Callback> space_freed;
  std::vector<WaitingTask> given_up;  // of any models

  // A batch, or a part in one that another worker leads. Null: neither.
  QueueState* state = nullptr;
  std::vector<WaitingTask> tasks;
  metrics::BatchReason reason = metrics::BatchReason::kIdle;
  absl::Duration expected;  // what it was thought to take
  int helpers = 0;          // idle workers that may be called to help
  std::shared_ptr<BatchRun> assisted;

  // Filled by the one who did it.
  BatchOutcome outcome;
};

}  // namespace stillwave::batching::internal
