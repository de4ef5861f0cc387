// From several tasks to one batch and back. Pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/batching/batch_queue.h"
#include "server/tensor/tensor.h"

namespace stillwave::batching {

struct BatchInputs {
  std::vector<tensor::TensorView> views;  // {samples, …} in signature order
  std::vector<tensor::Tensor> storage;    // what the views point into; empty for a lone task, which is not copied
};

// Concatenates the inputs along axis 0: {2, C, T} and {3, C, T} -> {5, C, T}.
// REQUIRES: tasks is not empty and all have the same per-sample shapes. RESOURCE_EXHAUSTED when there is no memory.
absl::StatusOr<BatchInputs> ConcatenateInputs(absl::Span<const WaitingTask> tasks);

// The rows of each task, in the order of `tasks`: outputs {5, K} for tasks of 2 and 3 -> {2, K} and {3, K}. A lone
// task gets the tensors themselves. REQUIRES: axis 0 of every output is the sum of the tasks' samples.
absl::StatusOr<std::vector<std::vector<tensor::Tensor>>> SplitOutputs(std::vector<tensor::Tensor> outputs,
                                                                      absl::Span<const WaitingTask> tasks);

}  // namespace stillwave::batching
