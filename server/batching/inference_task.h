// One request's way through the queue and a worker.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/batching/cancellation.h"
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
  // No answer is wanted after it: not computed when it has passed, refused when it cannot be met.
  absl::Time deadline = absl::InfiniteFuture();
  // How long the client lets it wait for a worker; the queue's policy says what happens then, and whether it counts.
  absl::Duration timeout = absl::InfiniteDuration();
  // 1 is served first. 0, and levels that the model has not: the model's default level.
  uint64_t priority = 0;
  // Not computed when it is cancelled by then. May be null.
  std::shared_ptr<Cancellation> cancellation;
  // The thread that submits it may compute it: see BatchScheduler::Options::inline_compute.
  bool may_run_on_caller = false;
  // Called exactly once, unless Submit refused the task: from a thread of the scheduler, from the one that cancels, or
  // with may_run_on_caller from inside Submit. Must not block.
  absl::AnyInvocable<void(InferenceResult)> done;
};

inline bool IsCancelled(const InferenceTask& task) {
  return task.cancellation != nullptr && task.cancellation->cancelled();
}

}  // namespace stillwave::batching
