// One request's way through the queue and a worker.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/tensor/tensor.h"

namespace stillwave::batching {

struct InferenceResult {
  // OK; DEADLINE_EXCEEDED or CANCELLED when it was given up before compute; or what the runner answered.
  absl::Status status;
  // In signature order, batch axis first. Empty unless status is OK.
  std::vector<tensor::Tensor> outputs;
  absl::Duration queue_duration;
  absl::Duration compute_duration;
};

// Moves through the scheduler; movable, not copyable.
struct InferenceTask {
  // {samples, …} in signature order, validated. Borrowed: they stay valid until `done` was called.
  std::vector<tensor::TensorView> inputs;
  // Size of the batch axis. Positive.
  int64_t samples = 1;
  // Not computed when it has passed.
  absl::Time deadline = absl::InfiniteFuture();
  // Not computed when it is set by then. May be null.
  std::shared_ptr<const std::atomic<bool>> cancelled;
  // Called exactly once, from a thread of the scheduler, unless Submit refused the task. Must not block.
  absl::AnyInvocable<void(InferenceResult)> done;
};

}  // namespace stillwave::batching
