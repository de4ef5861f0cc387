// Waiting at a completion queue without being deaf to Ctrl-C. Only for files that have grpc headers anyway.
#pragma once

#include <grpc/support/time.h>
#include <grpcpp/completion_queue.h>

#include <algorithm>
#include <cstdint>

#include "client/bench/load_plan.h"

namespace stillwave::client::bench {

// How long anything waits before it looks whether Ctrl-C came.
inline constexpr int64_t kWaitMillis = 50;
inline constexpr Tick kWaitTicks = kWaitMillis * 1'000'000;

// False when no event came until then.
inline bool NextEventUntil(grpc::CompletionQueue* queue, Tick until, void** tag, bool* ok) {
  const gpr_timespec deadline =
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(std::max<Tick>(0, until - Now()), GPR_TIMESPAN));
  return queue->AsyncNext(tag, ok, deadline) == grpc::CompletionQueue::GOT_EVENT;
}

// False when no event came for a while.
inline bool NextEvent(grpc::CompletionQueue* queue, void** tag, bool* ok) {
  return NextEventUntil(queue, Now() + kWaitTicks, tag, ok);
}

}  // namespace stillwave::client::bench
