// Softmax and LogSoftmax in plain loops. Plans run Softmax as a oneDNN primitive, but not LogSoftmax: oneDNN 2.6's
// logarithm is off by up to 4e-6, which makes a probability of 1 slightly more than 1.
#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/status/status.h"
#include "server/base/status_macros.h"
#include "server/kernels/families.h"

namespace stillwave::kernels {
namespace {

// With m = max_j x_j, so that nothing overflows:
//   softmax      exp(x_i - m) / sum_j exp(x_j - m)
//   logarithm    (x_i - m) - log(sum_j exp(x_j - m))
void SoftmaxLine(const float* from, float* to, int64_t length, int64_t stride, bool log) {
  float largest = -std::numeric_limits<float>::infinity();
  for (int64_t i = 0; i < length; ++i) largest = std::max(largest, from[i * stride]);
  const auto distance = [=](int64_t i) { return static_cast<double>(from[i * stride] - largest); };
  double sum = 0;
  for (int64_t i = 0; i < length; ++i) sum += std::exp(distance(i));
  const double log_sum = std::log(sum);
  for (int64_t i = 0; i < length; ++i) {
    to[i * stride] = static_cast<float>(log ? distance(i) - log_sum : std::exp(distance(i)) / sum);
  }
}

}  // namespace

absl::StatusOr<Kernel> MakeSoftmax(const graph::Softmax& op, Inputs, const Output& output) {
  ASSIGN_OR_RETURN(const graph::SoftmaxExtent extent, graph::ResolveSoftmax(op, output.shape));
  return Kernel([extent, log = op.log](absl::Span<const void* const> sources, void* dst) {
    for (int64_t outer = 0; outer < extent.outer; ++outer) {
      for (int64_t inner = 0; inner < extent.inner; ++inner) {
        const int64_t first = outer * extent.length * extent.inner + inner;
        SoftmaxLine(static_cast<const float*>(sources[0]) + first, static_cast<float*>(dst) + first, extent.length,
                    extent.inner, log);
      }
    }
  });
}

}  // namespace stillwave::kernels
