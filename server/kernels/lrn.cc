// Local response normalization: each element by the squares of its neighbors in other channels.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "absl/status/status.h"
#include "server/kernels/families.h"

namespace stillwave::kernels {

absl::StatusOr<Kernel> MakeLrn(const graph::Lrn& op, Inputs, const Output& output) {
  const tensor::Shape& x = output.shape;
  int64_t plane = 1;
  for (int axis = 2; axis < x.rank(); ++axis) plane *= x[axis];
  const int64_t channels = x[1];
  // The window reaches (size-1)/2 channels down and the rest up.
  const int64_t reach_down = std::min((op.size - 1) / 2, channels);
  const int64_t reach_up = std::min(op.size - 1 - (op.size - 1) / 2, channels);
  return Kernel([op, plane, channels, reach_down, reach_up, samples = x[0]](absl::Span<const void* const> sources,
                                                                            void* dst) {
    constexpr int64_t kTile = 64;
    const auto* from = static_cast<const float*>(sources[0]);
    auto* to = static_cast<float*>(dst);
    const double factor = static_cast<double>(op.alpha) / static_cast<double>(op.size);
    for (int64_t at = 0; at < samples * channels; ++at) {
      const int64_t channel = at % channels;
      const int64_t first = std::max<int64_t>(channel - reach_down, 0) - channel;
      const int64_t last = std::min(channel + reach_up, channels - 1) - channel;
      for (int64_t begin = 0; begin < plane; begin += kTile) {
        const int64_t count = std::min(kTile, plane - begin);
        const float* center = from + at * plane + begin;
        std::array<double, kTile> squares{};
        for (int64_t neighbor = first; neighbor <= last; ++neighbor) {
          for (int64_t i = 0; i < count; ++i) {
            const double value = center[neighbor * plane + i];
            squares[static_cast<size_t>(i)] += value * value;
          }
        }
        for (int64_t i = 0; i < count; ++i) {
          const double base = op.bias + factor * squares[static_cast<size_t>(i)];
          to[at * plane + begin + i] = static_cast<float>(center[i] * std::pow(base, -static_cast<double>(op.beta)));
        }
      }
    }
  });
}

}  // namespace stillwave::kernels
