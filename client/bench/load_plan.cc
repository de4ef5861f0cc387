#include "client/bench/load_plan.h"

#include <chrono>

namespace stillwave::client::bench {

Tick Now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

LoadPlan::LoadPlan(const LoadOptions& options, Tick start)
    : start_(start),
      measure_from_(start + absl::ToInt64Nanoseconds(options.warmup)),
      measure_until_(options.requests > 0 ? kNever : measure_from_ + absl::ToInt64Nanoseconds(options.duration)),
      requests_left_(options.requests > 0 ? options.requests : std::numeric_limits<int64_t>::max()) {}

Ticket LoadPlan::Take(Tick tick) {
  if (interrupted_.load(std::memory_order_relaxed) || tick >= measure_until_) return Ticket::kOver;
  if (tick < measure_from_) return Ticket::kWarmUp;
  if (measure_until_ != kNever) return Ticket::kMeasured;
  return requests_left_.fetch_sub(1, std::memory_order_relaxed) > 0 ? Ticket::kMeasured : Ticket::kOver;
}

}  // namespace stillwave::client::bench
