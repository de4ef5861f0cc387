// What to do next, decided from a snapshot; the scheduler's threads only apply it.
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
  // The earliest deadline of all waiting tasks.
  absl::Time earliest_deadline = absl::InfiniteFuture();
  // Grows with every batch that any queue got; 0: never served.
  uint64_t last_service = 0;
  // Batches of this queue that workers are running now.
  int running_batches = 0;
  // 0: as many as there are workers.
  int max_running_batches = 0;
};

// Answer the tasks of queue `index` whose deadline has passed; then decide again.
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

// Passed deadlines first, so that nothing is computed in vain; then, if a worker is idle, the waiting queue that was
// served least recently (the first of equals). Never waits to fill a batch while a worker is idle.
Decision Decide(absl::Span<const QueueSnapshot> queues, absl::Time now, int idle_workers);

}  // namespace stillwave::batching
