// What a client has sent for one series id, and what of it is not done yet.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "server/batching/inference_task.h"
#include "server/streaming/series.h"
#include "stillwave/v1/stream_inference.pb.h"

namespace stillwave::streaming {

struct PendingRequest {
  v1::StreamWindowsRequest request;
  absl::Time received;
  int64_t bytes = 0;     // of the request
  bool started = false;  // of a chunk: BeginChunk was called
};

// Windows on their way into the model's queue, as one task.
struct Submission {
  batching::InferenceTask task;
  std::shared_ptr<Series> series;
  int64_t first_slot = 0;
};

// Requests of one id are handled in the order they came; those of other ids go their own way. It is there while a
// series is open under the id or something waits. Not thread-safe: the session guards it.
struct SeriesQueue {
  std::string id;
  std::shared_ptr<Series> series;  // null: none is open
  std::deque<PendingRequest> requests;
  // Windows are formed and the model's queue has not taken them yet; the requests behind it wait. `submission` is empty
  // just while it is offered.
  bool submitting = false;
  std::optional<Submission> submission;
  bool ready = false;         // its first request may be handled: it is in the session's ready_
  int64_t counted_slots = 0;  // of `series`, in the session's slots_

  bool idle() const { return series == nullptr && requests.empty() && !submitting; }
};

}  // namespace stillwave::streaming
