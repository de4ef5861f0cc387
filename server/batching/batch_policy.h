// What to do next, decided from a snapshot; the scheduler's threads only apply it. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>

#include "absl/time/time.h"
#include "absl/types/span.h"

namespace stillwave::batching {

// One model's queue as the policy sees it.
struct QueueSnapshot {
  int64_t waiting_samples = 0;
  // When something has to be done about a waiting task: it is given up, or steps back.
  absl::Time next_timer = absl::InfiniteFuture();
  // When the oldest waiting task came.
  absl::Time oldest = absl::InfiniteFuture();
  // How long that one may wait for `enough_samples` to come together. 0: not at all.
  absl::Duration max_delay = absl::ZeroDuration();
  int64_t enough_samples = 1;
  // How long before next_timer the wait for others ends, so that there is time to compute.
  absl::Duration lead = absl::ZeroDuration();
  // Nanoseconds of compute that the queue got, by its weight. The least is served first.
  int64_t virtual_time = 0;
  // Grows with every batch that any queue got; 0: never served. Decides between equals.
  uint64_t last_service = 0;
  // Batches of this queue that workers are running now.
  int running_batches = 0;
  // 0: as many as there are workers.
  int max_running_batches = 0;
};

// Take care of the tasks of queue `index` whose time has come; then decide again.
struct Expire {
  size_t index;
};
// Let an idle worker take a batch from queue `index`.
struct Dispatch {
  size_t index;
};
// Nothing to do before `until` unless a task comes or a worker is freed.
struct Wait {
  absl::Time until;
};
using Decision = std::variant<Expire, Dispatch, Wait>;

// Passed deadlines first, so that nothing is computed in vain; then, if a worker is idle, of the queues that may run
// the one with the least virtual time (of equals the one served least recently, then the first). Never waits to fill a
// batch while a worker is idle, unless the queue has a max_delay.
Decision Decide(absl::Span<const QueueSnapshot> queues, absl::Time now, int idle_workers);

// Whether another batch of the queue may run beside those that do.
bool HasFreeInstance(int running_batches, int max_running_batches);

// How many idle workers shall help the one that has a batch of `samples` whose computation is expected to take
// `expected`: as many as there are parts worth a thread's waking, `least_part`, and as instances of the model are free.
int HelpersFor(int64_t samples, absl::Duration expected, absl::Duration least_part, int idle_workers,
               int running_batches, int max_running_batches);

// Whether the thread that brings a task computes it, with the place of an idle worker: when waking that worker costs
// more than keeping the thread, which does nothing else meanwhile. `expected` is zero while nothing is known.
inline bool RunsOnCaller(absl::Duration expected, absl::Duration longest) {
  return expected > absl::ZeroDuration() && expected <= longest;
}

}  // namespace stillwave::batching
