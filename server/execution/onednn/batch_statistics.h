// Batch normalization as in training: by the mean and variance of the batch at hand. No plan has such a step; it is for
// the offline tool that finds running statistics anew.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/execution/onednn/primitive.h"
#include "server/tensor/shape.h"

namespace stillwave::execution::onednn {

// For one shape. Not thread-safe: it has a scratchpad of its own.
class BatchStatistics {
 public:
  // `shape` is {N,C,…}, rank 2 to 5. UNIMPLEMENTED when oneDNN has nothing for it.
  static absl::StatusOr<BatchStatistics> Create(const tensor::Shape& shape, float epsilon);

  // Of row-major src {N,C,…} writes mean {C} and the biased variance {C} (divided by the number of values), and dst:
  // scale * (src - mean) / sqrt(variance + epsilon) + shift. An error, in oneDNN's words, when the primitive fails.
  absl::Status Run(const float* src, const float* scale, const float* shift, float* mean, float* variance, float* dst);

 private:
  explicit BatchStatistics(Primitive primitive);

  Primitive primitive_;
  std::vector<std::byte> scratchpad_;
};

}  // namespace stillwave::execution::onednn
