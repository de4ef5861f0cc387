// The tasks of one model that wait for a worker.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <vector>

#include "absl/time/time.h"
#include "server/batching/inference_task.h"

namespace stillwave::batching {

struct WaitingTask {
  InferenceTask task;
  absl::Time enqueued;
};

// First in, first out, bounded in samples, with an index by deadline. Not thread-safe: the scheduler guards it.
class BatchQueue {
 public:
  // REQUIRES: max_samples > 0.
  explicit BatchQueue(int64_t max_samples);
  BatchQueue(const BatchQueue&) = delete;
  BatchQueue& operator=(const BatchQueue&) = delete;

  int64_t max_samples() const { return max_samples_; }
  int64_t waiting_samples() const { return waiting_samples_; }
  bool empty() const { return tasks_.empty(); }
  // InfiniteFuture when no waiting task has a deadline.
  absl::Time earliest_deadline() const;

  // An empty queue takes any task, so that one larger than the limit is not refused for ever.
  bool HasSpaceFor(int64_t samples) const { return empty() || waiting_samples_ + samples <= max_samples_; }

  // REQUIRES: HasSpaceFor(task.task.samples).
  void Push(WaitingTask task);

  struct Batch {
    std::vector<WaitingTask> tasks;  // oldest first, equal per-sample shapes; empty only when the queue is empty
    int64_t samples = 0;
    bool full = false;  // max_batch_size reached, or the next task of this shape would exceed it
  };

  // The oldest task and those behind it of the same per-sample shapes, in order, as long as they fit into
  // max_batch_size together. A task larger than that comes alone. Tasks of other shapes keep their places.
  Batch TakeBatch(int64_t max_batch_size);

  // Takes out the tasks whose deadline is `now` or earlier.
  std::vector<WaitingTask> TakeOverdue(absl::Time now);

 private:
  using Tasks = std::list<WaitingTask>;
  using Deadlines = std::multimap<absl::Time, Tasks::iterator>;

  WaitingTask Take(Tasks::iterator it);

  const int64_t max_samples_;
  int64_t waiting_samples_ = 0;
  Tasks tasks_;
  Deadlines deadlines_;  // finite ones only
};

inline bool IsCancelled(const InferenceTask& task) {
  return task.cancelled != nullptr && task.cancelled->load(std::memory_order_relaxed);
}

// Equal data types and equal dimensions behind the batch axis, input by input.
bool SameSampleShapes(const InferenceTask& a, const InferenceTask& b);

}  // namespace stillwave::batching
