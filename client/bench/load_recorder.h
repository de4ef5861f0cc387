// One thread's notes about the requests it sent.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "client/bench/load_plan.h"
#include "client/bench/load_result.h"

namespace stillwave::client::bench {

// A request between being sent and answered.
struct PendingRequest {
  Ticket ticket = Ticket::kWarmUp;
  Tick due = 0;  // closed loop: when it was sent
};

// Sent, SentLate and NotSent belong to the thread that sends, the others to the one that receives; they may be two.
// `Finish` comes after both. The counts for a progress line may be read from anywhere.
class LoadRecorder {
 public:
  // `plan` outlives the recorder. An OK that took longer than `deadline` is late.
  explicit LoadRecorder(const LoadPlan* plan, absl::Duration deadline = absl::InfiniteDuration());

  void Sent(const PendingRequest& request);
  // Open loop, besides Sent.
  void SentLate(const PendingRequest& request, absl::Duration delay);
  // Open loop, instead of Sent: it was due, and the step ended before there was room for it.
  void NotSent(const PendingRequest& request);
  void Answered(const PendingRequest& request, Tick now, absl::StatusCode code, const std::string& message);
  void Abandoned(const PendingRequest& request);

  LoadResult Finish();

  int64_t ok_so_far() const { return ok_so_far_.load(std::memory_order_relaxed); }
  int64_t errors_so_far() const { return errors_so_far_.load(std::memory_order_relaxed); }

 private:
  void CountInTime(Tick now, bool ok, absl::Duration latency);

  const LoadPlan* const plan_;
  const absl::Duration deadline_;
  const Tick timeline_step_;
  LoadResult sent_;      // what the sending thread knows
  LoadResult received_;  // what the receiving one knows
  Tick last_answer_ = 0;
  std::atomic<int64_t> ok_so_far_{0};
  std::atomic<int64_t> errors_so_far_{0};
};

}  // namespace stillwave::client::bench
