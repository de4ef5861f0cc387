// Waiting at a completion queue without being deaf to Ctrl-C. Only for files that have grpc headers anyway.
#pragma once

#include <grpc/support/time.h>
#include <grpcpp/completion_queue.h>

#include <cstdint>

namespace stillwave::client::bench {

// How long anything waits before it looks whether Ctrl-C came.
inline constexpr int64_t kWaitMillis = 50;

// False when no event came for a while.
inline bool NextEvent(grpc::CompletionQueue* queue, void** tag, bool* ok) {
  const gpr_timespec deadline =
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(kWaitMillis, GPR_TIMESPAN));
  return queue->AsyncNext(tag, ok, deadline) == grpc::CompletionQueue::GOT_EVENT;
}

}  // namespace stillwave::client::bench
