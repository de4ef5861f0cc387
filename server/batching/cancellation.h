// How a client takes back what it asked for.
#pragma once

#include <atomic>

namespace stillwave::batching {

namespace internal {
class SchedulerCore;
}
struct QueuedTask;

// Shared by the tasks that are given up together: one request, or all windows of a stream. They belong to one
// scheduler. Thread-safe.
class Cancellation {
 public:
  Cancellation() = default;
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  // Tasks that wait leave their queue and are answered with CANCELLED, on this thread, before it returns; later ones
  // are refused; one that a worker has taken may still be computed. REQUIRES: the scheduler lives, or a handle of one
  // of its queues; no lock is held that a task's `done` takes.
  void Cancel();

  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

 private:
  friend class BatchQueue;
  friend class internal::SchedulerCore;

  std::atomic<bool> cancelled_{false};
  // Set when the first of the tasks has to wait.
  std::atomic<internal::SchedulerCore*> core_{nullptr};
  // The tasks that wait, chained. Belongs to the core's lock.
  QueuedTask* waiting_ = nullptr;
};

}  // namespace stillwave::batching
