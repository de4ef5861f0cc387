// One batch on its way from waiting tasks to their answers, on one worker or on several.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/base/clock.h"
#include "server/batching/answer_order.h"
#include "server/batching/batch_assembly.h"
#include "server/batching/batch_queue.h"
#include "server/execution/execution_context.h"
#include "server/metrics/server_metrics.h"
#include "server/model/batch_runner.h"

namespace stillwave::batching {

// What a batch needs of its model. Borrowed: it outlives the run.
struct BatchTarget {
  const model::BatchRunner& runner;
  absl::Span<const tensor::DataType> output_types;  // see ModelQueueOptions
  int64_t max_batch_size;
  const metrics::ModelMetrics& metrics;
  AnswerOrder* order = nullptr;  // null: answers leave as they come
};

// What one thread did for a batch.
struct BatchOutcome {
  absl::Duration busy;  // computing
  // Tasks that it answered: all of the batch, or none.
  int64_t answered = 0;
  // Of the one that answered: what was computed, and the time of all threads for it. 0: nothing was, or it failed.
  int64_t elements = 0;
  absl::Duration total_busy;
};

// The rows of a batch are computed in parts, each straight into its rows of the outputs; whoever has time takes the
// next part, and who ends the last one answers the tasks. A sample's bits do not depend on the part that it is in.
//
//   one thread:      Prepare, RunParts to the end
//   then any others: RunParts, at the same time or when all is done already; they may leave after any part
class BatchRun {
 public:
  // In `parts` of equal size, or as many more as max_batch_size asks for; in one where the runner says so. REQUIRES:
  // tasks have equal per-sample shapes, parts > 0.
  BatchRun(const BatchTarget& target, metrics::BatchReason reason, const base::Clock& clock,
           std::vector<WaitingTask> tasks, int64_t parts = 1);
  BatchRun(const BatchRun&) = delete;
  BatchRun& operator=(const BatchRun&) = delete;

  // Answers the tasks that are not to be computed any more: cancelled, or their time is up. Joins the inputs of the
  // others and makes room for the outputs.
  void Prepare();

  // Computes parts until none is left to begin, or until `goes_on`, which is asked between two parts, says no.
  // Thread-safe after Prepare, with distinct contexts.
  BatchOutcome RunParts(execution::ExecutionContext& context, absl::FunctionRef<bool()> goes_on);
  BatchOutcome RunParts(execution::ExecutionContext& context) {
    return RunParts(context, [] { return true; });
  }
  // Parts that nobody has begun.
  int64_t parts_left() const { return parts_ - next_part_.load(std::memory_order_relaxed); }

  // The emptied vector, for its memory. Call last.
  std::vector<WaitingTask> ReleaseTasks();

 private:
  void AnswerThoseGivenUp();
  absl::Status JoinAndAllocate();
  absl::Status RunPart(execution::ExecutionContext& context, int64_t part);
  void Fail(const absl::Status& status) ABSL_LOCKS_EXCLUDED(status_mutex_);
  BatchOutcome Answer(absl::Time end) ABSL_LOCKS_EXCLUDED(status_mutex_);

  const BatchTarget target_;
  const metrics::BatchReason reason_;
  const base::Clock& clock_;
  std::vector<WaitingTask> tasks_;
  const int64_t accepted_tasks_;
  const int64_t wanted_parts_;

  // Set by Prepare.
  absl::Time start_;
  absl::Time joined_;  // when the inputs lay in one batch
  int64_t samples_ = 0;
  int64_t elements_ = 0;
  int64_t part_samples_ = 0;
  int64_t parts_ = 1;
  BatchInputs inputs_;
  std::vector<tensor::Tensor> outputs_;

  std::atomic<bool> begun_{false};  // a thread has taken over the time since start_
  std::atomic<int64_t> next_part_{0};
  std::atomic<int64_t> unfinished_parts_{1};
  std::atomic<int64_t> busy_nanoseconds_{0};
  absl::Mutex status_mutex_;
  absl::Status status_ ABSL_GUARDED_BY(status_mutex_);  // the first error
};

// The whole batch on this thread. `tasks` is empty afterwards.
BatchOutcome RunBatch(const BatchTarget& target, metrics::BatchReason reason, const base::Clock& clock,
                      execution::ExecutionContext& context, std::vector<WaitingTask>& tasks);

// Answers a task that is not computed: with CANCELLED if it was cancelled, else with DEADLINE_EXCEEDED.
void AnswerGivenUp(const metrics::ModelMetrics& metrics, AnswerOrder* order, absl::Time now, WaitingTask waiting);

}  // namespace stillwave::batching
