#include "server/batching/batch_policy.h"

#include <algorithm>
#include <optional>

namespace stillwave::batching {
namespace {

bool MayRun(const QueueSnapshot& queue) {
  return queue.waiting_samples > 0 &&
         (queue.max_running_batches == 0 || queue.running_batches < queue.max_running_batches);
}

}  // namespace

Decision Decide(absl::Span<const QueueSnapshot> queues, absl::Time now, int idle_workers) {
  absl::Time next_deadline = absl::InfiniteFuture();
  std::optional<size_t> next_served;
  for (size_t i = 0; i < queues.size(); ++i) {
    if (queues[i].earliest_deadline <= now) return Expire{i};
    next_deadline = std::min(next_deadline, queues[i].earliest_deadline);
    if (MayRun(queues[i]) && (!next_served || queues[i].last_service < queues[*next_served].last_service)) {
      next_served = i;
    }
  }
  if (idle_workers > 0 && next_served) return Dispatch{*next_served};
  return Wait{next_deadline};
}

}  // namespace stillwave::batching
