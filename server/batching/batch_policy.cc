#include "server/batching/batch_policy.h"

#include <algorithm>
#include <optional>
#include <tuple>

namespace stillwave::batching {
namespace {

bool MayRun(const QueueSnapshot& queue) {
  return queue.waiting_samples > 0 && HasFreeInstance(queue.running_batches, queue.max_running_batches);
}

// When the queue's next batch may go.
absl::Time ReadyAt(const QueueSnapshot& queue) {
  if (queue.max_delay == absl::ZeroDuration() || queue.waiting_samples >= queue.enough_samples) {
    return absl::InfinitePast();
  }
  return std::min(queue.oldest + queue.max_delay, queue.next_timer - queue.lead);
}

bool ComesBefore(const QueueSnapshot& a, const QueueSnapshot& b) {
  return std::tie(a.virtual_time, a.last_service) < std::tie(b.virtual_time, b.last_service);
}

}  // namespace

bool HasFreeInstance(int running_batches, int max_running_batches) {
  return max_running_batches == 0 || running_batches < max_running_batches;
}

Decision Decide(absl::Span<const QueueSnapshot> queues, absl::Time now, int idle_workers) {
  absl::Time until = absl::InfiniteFuture();
  std::optional<size_t> next_served;
  for (size_t i = 0; i < queues.size(); ++i) {
    if (queues[i].next_timer <= now) return Expire{i};
    until = std::min(until, queues[i].next_timer);
    if (idle_workers == 0 || !MayRun(queues[i])) continue;
    const absl::Time ready = ReadyAt(queues[i]);
    if (ready > now) {
      until = std::min(until, ready);
    } else if (!next_served || ComesBefore(queues[i], queues[*next_served])) {
      next_served = i;
    }
  }
  if (next_served) return Dispatch{*next_served};
  return Wait{until};
}

int HelpersFor(int64_t samples, absl::Duration expected, absl::Duration least_part, int idle_workers,
               int running_batches, int max_running_batches) {
  if (idle_workers == 0 || samples == 1) return 0;
  const int instances = max_running_batches == 0 ? idle_workers : std::max(0, max_running_batches - running_batches);
  int64_t parts = samples;
  if (least_part > absl::ZeroDuration()) parts = std::min(parts, expected / least_part);
  return static_cast<int>(std::clamp<int64_t>(parts - 1, 0, std::min(idle_workers, instances)));
}

}  // namespace stillwave::batching
