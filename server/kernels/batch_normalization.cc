// BatchNormalization in its inference form, for what oneDNN does not take and for constants.
#include <cmath>

#include "server/kernels/families.h"

namespace stillwave::kernels {

absl::StatusOr<Kernel> MakeBatchNormalization(const graph::BatchNormalization& op, Inputs inputs, const Output&) {
  const tensor::Shape& x = inputs[0].shape;
  const int64_t samples = x[0];
  const int64_t channels = x[1];
  int64_t plane = 1;
  for (int axis = 2; axis < x.rank(); ++axis) plane *= x[axis];
  return Kernel([=, epsilon = op.epsilon, relu = op.fused_relu](absl::Span<const void* const> sources, void* dst) {
    const auto* from = static_cast<const float*>(sources[0]);
    const auto* scale = static_cast<const float*>(sources[1]);
    const auto* bias = static_cast<const float*>(sources[2]);
    const auto* mean = static_cast<const float*>(sources[3]);
    const auto* variance = static_cast<const float*>(sources[4]);
    auto* to = static_cast<float*>(dst);
    for (int64_t n = 0; n < samples; ++n) {
      for (int64_t c = 0; c < channels; ++c, from += plane, to += plane) {
        const float factor = scale[c] / std::sqrt(variance[c] + epsilon);
        for (int64_t i = 0; i < plane; ++i) {
          const float value = (from[i] - mean[c]) * factor + bias[c];
          to[i] = relu && value < 0 ? 0 : value;
        }
      }
    }
  });
}

}  // namespace stillwave::kernels
