// What BatchScheduler and its ModelQueue handles share: the queues, the threads and the one lock over them.
#pragma once

#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/batching/batch_scheduler.h"
#include "server/batching/cancellation.h"
#include "server/batching/doorbell.h"
#include "server/batching/fair_queues.h"
#include "server/batching/queue_state.h"
#include "server/execution/execution_context.h"

namespace stillwave::batching::internal {

// A thread that computes, or its place: while the thread sleeps, one that brings a task may use the place instead.
// Belongs to whoever took it out of the list of idle ones.
struct Worker {
  Doorbell doorbell;
  Work work;
  execution::ExecutionContext context;
  bool ended = false;
  Worker* next_woken = nullptr;
};

// Who finds work for an idle worker puts it into that worker's hands under the lock, and wakes it without: the worker
// does not take the lock before it has done the work. So nobody sleeps on the lock, and unlocking it wakes no one.
//
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
  int64_t WaitingSamples(const QueueState& state) const ABSL_LOCKS_EXCLUDED(mutex_);
  int64_t MostUndivided(const QueueState& state, int64_t elements) const ABSL_LOCKS_EXCLUDED(mutex_);
  // Takes its tasks out of their queues and answers them.
  void Withdraw(Cancellation& cancellation) ABSL_LOCKS_EXCLUDED(mutex_);

  void Drain() ABSL_LOCKS_EXCLUDED(mutex_, join_mutex_);
  void RunTimers() ABSL_LOCKS_EXCLUDED(mutex_);
  void AwaitIdle() ABSL_LOCKS_EXCLUDED(mutex_);
  int workers() const { return options_.workers; }

 private:
  // The bodies of the threads.
  void ComputeBatches(Worker& worker) ABSL_LOCKS_EXCLUDED(mutex_);
  void KeepTimers() ABSL_LOCKS_EXCLUDED(mutex_);

  // Books what the worker has done and gives it the next work; it sleeps while there is none. False when it is to end.
  bool NextWork(Worker& worker) ABSL_LOCKS_EXCLUDED(mutex_);
  // The worker's place comes back from a thread that used it.
  void ReturnPlace(Worker& worker) ABSL_LOCKS_EXCLUDED(mutex_);
  // Answers what the work holds, computing the batch.
  void Do(Work& work, execution::ExecutionContext* context) ABSL_LOCKS_EXCLUDED(mutex_);
  BatchOutcome Compute(Work& work, execution::ExecutionContext& context) ABSL_LOCKS_EXCLUDED(mutex_);
  // Gives idle workers, up to so many, a hand in the batch while parts of it are left.
  void CallHelpers(QueueState& state, const std::shared_ptr<BatchRun>& run, int helpers) ABSL_LOCKS_EXCLUDED(mutex_);
  // Whether other tasks wait for a worker.
  bool OthersWait() ABSL_LOCKS_EXCLUDED(mutex_);
  // Answers and books work that is not a worker's: tasks that are given up. The thread counts as a guest.
  void DoAsGuest(Work& work) ABSL_LOCKS_EXCLUDED(mutex_);

  // Who is to be woken, once the lock is free: a chain of workers, and perhaps the timer's thread.
  struct Wakes {
    Worker* workers = nullptr;
    bool timer = false;

    void Add(Worker* worker) {
      worker->next_woken = workers;
      workers = worker;
    }
  };
  void Wake(const Wakes& wakes) ABSL_LOCKS_EXCLUDED(mutex_);

  int IdleWorkers() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return static_cast<int>(idle_.size()); }
  Worker* TakeIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Gives idle workers what there is for them.
  void HandOut(absl::Time now, Wakes& wakes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The worker has nothing to do: it is idle, or ends.
  void Park(Worker& worker, Wakes& wakes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Sends the idle workers and the timer home when all is done.
  void EndIfDone(Wakes& wakes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The timer's thread is to look again by then.
  void Arm(absl::Time time, Wakes& wakes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Ended() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return queues_.draining() && queues_.waiting_tasks() == 0;
  }
  bool AllIdle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return IdleWorkers() == options_.workers && guests_ == 0 && queues_.waiting_tasks() == 0;
  }
  bool NoGuests() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return guests_ == 0; }

  const BatchScheduler::Options options_;

  mutable absl::Mutex mutex_;
  FairQueues queues_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Worker>> workers_;       // fixed after construction
  std::vector<Worker*> idle_ ABSL_GUARDED_BY(mutex_);  // the one that went to sleep last is woken first
  int guests_ ABSL_GUARDED_BY(mutex_) = 0;             // threads of others that answer tasks
  // When the timer's thread looks again. Kept when the task it was set for is taken, so that a stream of requests with
  // deadlines wakes that thread seldom.
  absl::Time armed_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  Doorbell timer_bell_;

  absl::Mutex join_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(join_mutex_);
};

}  // namespace stillwave::batching::internal
