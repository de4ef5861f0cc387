// All models' queues: who may come in, whose turn it is, and what it costs them. No threads, no lock, no clock.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/batching/batch_policy.h"
#include "server/batching/queue_state.h"

namespace stillwave::batching::internal {

// Keeps the books for the policy. Models compete by compute time, weighted: each queue has a virtual time, which grows
// by what its batches take, divided by its weight; the least is served first. It is charged with what a batch is
// expected to take when that begins, and set right when it has ended. A queue that was empty starts at the virtual time
// of those who were not, so that nobody saves up time and nobody pays for having been alone.
//
// Not thread-safe; a QueueState's private part is touched by no one else.
class FairQueues {
 public:
  struct Options {
    // Threads that compute.
    int workers = 1;
    // Work that is worth waking another worker for.
    absl::Duration least_part = absl::Microseconds(200);
    // Work that may wait before a task of a model, by the time in which it is computed.
    absl::Duration max_queue_wait = absl::InfiniteDuration();
  };
  // So many tasks of a model may wait however long they take: clients that each wait for their answer are no overload.
  static constexpr int64_t kAlwaysWelcome = 64;
  // A batch of a model without a queue delay holds no more samples than are computed in about this time: on a CPU
  // batches save overhead only, and the last sample of a long one would make the first wait.
  static constexpr absl::Duration kLongestBatch = absl::Milliseconds(10);

  explicit FairQueues(const Options& options) : options_(options) {}

  void Add(std::shared_ptr<QueueState> state);

  // From now on delays are over and nothing is admitted. Appends those who wait for space.
  void Drain(std::vector<Callback>& waiting_for_space);
  bool draining() const { return draining_; }
  // Refuses new tasks of the queue. Appends those who wait for space. The state, when it is not needed any more: drop
  // it without the lock.
  std::shared_ptr<QueueState> Close(QueueState& state, std::vector<Callback>& waiting_for_space);
  // Every accepted task is answered and no worker is at it.
  static bool IsDone(const QueueState* state) { return state->accepted == 0 && state->running_batches == 0; }

  // OK, or why the task is not accepted: see ModelQueue::Submit.
  absl::Status Admit(const QueueState& state, const InferenceTask& task, absl::Time now) const;
  bool HasSpace(const QueueState& state, int64_t samples) const;
  void AddSpaceWaiter(QueueState& state, SpaceWaiter waiter) { state.space_waiters.push_back(std::move(waiter)); }

  // Whether a task that comes now need not wait if a worker is idle.
  bool RunsAtOnce(const QueueState& state) const;
  // What the task is expected to take; zero when nothing is known.
  absl::Duration Expected(const QueueState& state, const InferenceTask& task) const;
  // Makes a batch of the task without queueing it. REQUIRES: Admit is OK, RunsAtOnce; `work` is empty.
  void Start(QueueState& state, InferenceTask task, absl::Time now, int idle_workers, Work& work);
  // Queues the task. When something becomes of it by itself. REQUIRES: Admit is OK.
  absl::Time Push(QueueState& state, InferenceTask task, absl::Time now);

  // Takes what the policy decides for `idle_workers` (0: only what is to be given up), into `work`, which is empty.
  // False when there is nothing; `until` is when to look again.
  bool Take(absl::Time now, int idle_workers, Work& work, absl::Time* until);
  // Whether Take would find something for an idle worker.
  bool HasWork(absl::Time now);
  // Takes the cancelled tasks out of their queues, to be given up, and appends them to `work`.
  void WithdrawAll(Cancellation& cancellation, Work& work);
  // Another worker takes part in the batch of `state`.
  void Assist(QueueState& state, std::shared_ptr<BatchRun> run, Work& work);

  // Books what was done, and empties `work`, except that space_freed may have something to be called. States that are
  // not needed any more are appended to `retired`: drop them without the lock.
  void Finish(Work& work, std::vector<std::shared_ptr<QueueState>>& retired);

  static bool IsClosed(const QueueState& state) { return state.closed; }
  // Batches of the queue that may begin beside those that run.
  int FreeInstances(const QueueState& state) const { return Parallel(state) - state.running_batches; }
  int64_t waiting_tasks() const { return waiting_tasks_; }
  static int64_t WaitingSamples(const QueueState& state) { return state.queue.waiting_samples(); }
  // See ModelQueue.
  static int64_t MostUndivided(const QueueState& state, int64_t elements);

 private:
  // What a task that comes to this level now waits for at least, were all workers to do nothing else.
  absl::Duration WaitAtLeast(const QueueState& state, size_t level) const;
  // Whether that is more than a task is to wait.
  bool IsTooLong(const QueueState& state, absl::Duration wait) const;
  QueueSnapshot Snapshot(const QueueState& state) const;
  Decision Decide(absl::Time now, int idle_workers);
  absl::Duration MaxDelay(const QueueState& state) const;
  int Parallel(const QueueState& state) const;

  void TakeOverdue(QueueState& state, absl::Time now, Work& work);
  void TakeBatch(QueueState& state, int idle_workers, Work& work);
  // A batch of `elements` begins.
  void Begin(QueueState& state, int64_t samples, int64_t elements, bool full, int idle_workers, Work& work);
  void Charge(QueueState& state, absl::Duration compute);
  // After tasks came or went: list of active queues, gauge, who waits for space.
  void Changed(QueueState& state, std::vector<Callback>& space_freed);
  void Activate(QueueState& state);
  void Deactivate(QueueState& state);
  void FreeSpace(QueueState& state, std::vector<Callback>& space_freed);
  std::shared_ptr<QueueState> RetireIfDone(QueueState& state);

  const Options options_;
  std::vector<std::shared_ptr<QueueState>> queues_;
  std::vector<QueueState*> active_;       // those in which tasks wait
  std::vector<QueueSnapshot> snapshots_;  // of active_; scratch of Take
  int64_t waiting_tasks_ = 0;
  int64_t virtual_now_ = 0;  // of the queue that was served last, when it was
  uint64_t services_ = 0;
  bool draining_ = false;
};

}  // namespace stillwave::batching::internal
