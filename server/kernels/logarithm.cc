// Log and LogSoftmax: oneDNN 2.6's logarithm is off by up to 4e-6, which makes a probability of 1 slightly more than 1.
#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/status/status.h"
#include "server/base/status_macros.h"
#include "server/kernels/families.h"

namespace stillwave::kernels {

absl::StatusOr<Kernel> MakeLog(Inputs, const Output& output) {
  return Kernel([count = output.shape.num_elements()](absl::Span<const void* const> sources, void* dst) {
    const auto* from = static_cast<const float*>(sources[0]);
    auto* to = static_cast<float*>(dst);
    for (int64_t i = 0; i < count; ++i) to[i] = std::log(from[i]);
  });
}

// log(exp(x_i) / sum_j exp(x_j)) = (x_i - m) - log(sum_j exp(x_j - m)) with m = max_j x_j, so that nothing overflows.
absl::StatusOr<Kernel> MakeLogSoftmax(const graph::Softmax& op, Inputs, const Output& output) {
  ASSIGN_OR_RETURN(const graph::SoftmaxExtent extent, graph::ResolveSoftmax(op, output.shape));
  return Kernel([extent](absl::Span<const void* const> sources, void* dst) {
    for (int64_t outer = 0; outer < extent.outer; ++outer) {
      for (int64_t inner = 0; inner < extent.inner; ++inner) {
        const int64_t first = outer * extent.length * extent.inner + inner;
        const auto* from = static_cast<const float*>(sources[0]) + first;
        auto* to = static_cast<float*>(dst) + first;
        float largest = -std::numeric_limits<float>::infinity();
        for (int64_t i = 0; i < extent.length; ++i) largest = std::max(largest, from[i * extent.inner]);
        double sum = 0;
        for (int64_t i = 0; i < extent.length; ++i)
          sum += std::exp(static_cast<double>(from[i * extent.inner] - largest));
        const double log_sum = std::log(sum);
        for (int64_t i = 0; i < extent.length; ++i) {
          to[i * extent.inner] = static_cast<float>(static_cast<double>(from[i * extent.inner] - largest) - log_sum);
        }
      }
    }
  });
}

}  // namespace stillwave::kernels
