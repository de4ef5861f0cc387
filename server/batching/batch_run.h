// One batch on a worker: from waiting tasks to their answers.
#pragma once

#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/base/clock.h"
#include "server/batching/batch_queue.h"
#include "server/execution/execution_context.h"
#include "server/metrics/server_metrics.h"
#include "server/model/batch_runner.h"

namespace stillwave::batching {

// What a batch needs of its model. Borrowed for one call.
struct BatchTarget {
  const model::BatchRunner& runner;
  absl::Span<const tensor::DataType> output_types;  // see ModelQueueOptions
  int64_t max_batch_size;
  const metrics::ModelMetrics& metrics;
};

// Answers every task exactly once: CANCELLED for those that were cancelled meanwhile, for the others what the runner
// computed or why it could not. More samples than max_batch_size are run in parts. Nothing is computed when all are
// cancelled. REQUIRES: tasks have equal per-sample shapes.
void RunBatch(const BatchTarget& target, metrics::BatchReason reason, const base::Clock& clock,
              execution::ExecutionContext& context, std::vector<WaitingTask> tasks);

// Answers every task with DEADLINE_EXCEEDED.
void AnswerOverdue(const metrics::ModelMetrics& metrics, absl::Time now, std::vector<WaitingTask> tasks);

}  // namespace stillwave::batching
