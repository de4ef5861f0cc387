// The tasks of one model that wait for a worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <map>
#include <vector>

#include "absl/time/time.h"
#include "server/batching/inference_task.h"

namespace stillwave::batching {

namespace internal {
struct QueueState;
}

// How tasks of one priority level wait.
struct LevelPolicy {
  // Samples that may wait. Positive.
  int64_t max_samples = 4096;
  // How long a task may wait. Infinite: as long as the task itself says.
  absl::Duration timeout = absl::InfiniteDuration();
  // A task may shorten a finite timeout.
  bool allow_override = false;
  // After the timeout a task steps behind those of its level that are not late. False: it is given up.
  bool late_step_back = false;
};

struct WaitingTask {
  InferenceTask task;
  absl::Time enqueued;
  // Not computed from then on.
  absl::Time give_up = absl::InfiniteFuture();
  // From then on it waits behind those of its level that are not late.
  absl::Time step_back = absl::InfiniteFuture();
  size_t level = 0;      // from 0, the first to be served
  int64_t elements = 1;  // of all inputs: the measure of its work; positive
  // Its place in the order of answers, where the model keeps one.
  uint64_t ticket = 0;
  // Whose queue it is in. Null where a queue is used by itself.
  internal::QueueState* state = nullptr;
};

struct QueuedTask;
using QueuedTasks = std::list<QueuedTask>;
using QueueTimers = std::multimap<absl::Time, QueuedTask*>;

// A WaitingTask in its place. Nodes do not move.
struct QueuedTask {
  WaitingTask waiting;
  bool late = false;
  QueuedTasks::iterator place;
  QueueTimers::iterator timer;           // the next time at which something becomes of it; end() for none
  QueuedTask* next_to_cancel = nullptr;  // the chain of its Cancellation
};

// How large a batch may become. Its first task is taken whatever it has.
struct BatchLimits {
  int64_t samples = 1;
  int64_t elements = std::numeric_limits<int64_t>::max();
};

// Bounded in samples, level by level. Within a level first in, first out, except that late tasks come last where the
// policy says so. Higher levels are served first, but not for ever: each time that an older task is passed over counts,
// and every eighth batch that would do so starts with the oldest of all instead. Not thread-safe: the scheduler guards
// it.
class BatchQueue {
 public:
  // A batch that would pass over an older task for the eighth time takes that one.
  static constexpr int kTurnsUntilOldest = 8;

  // REQUIRES: levels is not empty, each max_samples > 0, default_level < levels.size().
  explicit BatchQueue(std::vector<LevelPolicy> levels, size_t default_level = 0);
  // One level.
  explicit BatchQueue(int64_t max_samples) : BatchQueue(std::vector<LevelPolicy>{LevelPolicy{max_samples}}) {}
  BatchQueue(const BatchQueue&) = delete;
  BatchQueue& operator=(const BatchQueue&) = delete;

  size_t levels() const { return levels_.size(); }
  size_t default_level() const { return default_level_; }
  // Of a priority as tasks state it.
  size_t LevelOf(uint64_t priority) const;

  int64_t waiting_samples() const { return waiting_samples_; }
  int64_t waiting_samples(size_t level) const { return levels_[level].samples; }
  int64_t max_samples(size_t level) const { return levels_[level].policy.max_samples; }
  bool empty() const { return waiting_tasks_ == 0; }
  int64_t waiting_tasks() const { return waiting_tasks_; }
  // When the oldest waiting task came; InfiniteFuture when none waits.
  absl::Time oldest() const;
  // When TakeOverdue has something to do; InfiniteFuture for never.
  absl::Time next_timer() const { return timers_.empty() ? absl::InfiniteFuture() : timers_.begin()->first; }
  int64_t waiting_elements() const;
  // The work of those that are served before a task that comes to this level now.
  int64_t ElementsBefore(size_t level) const;

  // A level in which nothing waits takes any task, so that one larger than the limit is not refused for ever.
  bool HasSpaceFor(int64_t samples, size_t level = 0) const {
    return levels_[level].samples == 0 || levels_[level].samples + samples <= levels_[level].policy.max_samples;
  }

  // Until when a task that comes now may wait.
  absl::Time GiveUpAt(const InferenceTask& task, absl::Time now) const;
  // The task with its level and its times, as it would wait from `now` on.
  WaitingTask Receive(InferenceTask task, absl::Time now) const;
  // REQUIRES: HasSpaceFor(samples, level).
  QueuedTask& Push(WaitingTask waiting);

  struct Batch {
    int64_t samples = 0;
    int64_t elements = 0;
    bool full = false;  // a limit is reached, or the next task of this shape would exceed it
  };

  // Appends a batch to `tasks`: the task whose turn it is and those behind it, of the same level and the same
  // per-sample shapes, in order, as long as they fit together. A task that exceeds the limits comes alone. Tasks of
  // other shapes keep their places. Takes nothing only when the queue is empty.
  Batch TakeBatch(const BatchLimits& limits, std::vector<WaitingTask>& tasks);

  // Appends those that are to be given up at `now`, and lets those that are late by then step back.
  void TakeOverdue(absl::Time now, std::vector<WaitingTask>& overdue);

  // One of the waiting tasks of the cancellation, in whatever queue; null when none waits.
  static QueuedTask* FirstOf(const Cancellation& cancellation) { return cancellation.waiting_; }
  // Takes out one that waits here.
  WaitingTask Take(QueuedTask& queued);

 private:
  struct Lane {
    QueuedTasks tasks;
    int64_t elements = 0;
  };
  struct Level {
    LevelPolicy policy;
    int64_t samples = 0;
  };

  // Two for each level: those in time, then those that are late. In the order in which they are served.
  Lane& LaneOf(const QueuedTask& queued) { return lanes_[queued.waiting.level * 2 + (queued.late ? 1 : 0)]; }
  // Whose turn it is. REQUIRES: not empty.
  Lane& NextLane();
  void SetTimer(QueuedTask& queued);
  void StepBack(QueuedTask& queued);

  std::vector<Level> levels_;
  std::vector<Lane> lanes_;
  const size_t default_level_;
  QueueTimers timers_;
  int64_t waiting_tasks_ = 0;
  int64_t waiting_samples_ = 0;
  int passed_over_ = 0;  // batches since the oldest task might have gone
};

// Equal data types and equal dimensions behind the batch axis, input by input.
bool SameSampleShapes(const InferenceTask& a, const InferenceTask& b);

// Elements of all inputs; at least 1.
int64_t ElementsOf(const InferenceTask& task);

}  // namespace stillwave::batching
