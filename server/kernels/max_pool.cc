#include "server/kernels/max_pool.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "server/kernels/vectorize.h"

namespace stillwave::kernels {
namespace {

// A NaN stays once it is there, and comes from either side.
SW_VECTORIZED void TakeMaximum(const float* x, int64_t channels, float* best) {
  SW_INDEPENDENT
  for (int64_t c = 0; c < channels; ++c) best[c] = x[c] > best[c] || x[c] != x[c] ? x[c] : best[c];
}

// Most windows have two or three rows.
SW_VECTORIZED void MaximumOfTwo(const float* a, const float* b, int64_t channels, float* best) {
  SW_INDEPENDENT
  for (int64_t c = 0; c < channels; ++c) best[c] = b[c] > a[c] || b[c] != b[c] ? b[c] : a[c];
}

// The taps of each output along one axis that lie inside the input: the first, and how many.
struct Taps {
  int64_t first = 0;
  int64_t count = 0;
};

struct Axis {
  int64_t dilation = 1;
  int64_t length = 1;  // of the input
  std::vector<Taps> taps;
};

Axis MakeAxis(const graph::Window& window, const graph::ResolvedWindow& resolved, size_t i, int64_t length) {
  Axis axis{window.dilations[i], length, {}};
  for (int64_t o = 0; o < resolved.output[i]; ++o) {
    const int64_t start = o * window.strides[i] - resolved.pads_begin[i];
    const int64_t skipped = start >= 0 ? 0 : (-start + axis.dilation - 1) / axis.dilation;
    const int64_t first = start + skipped * axis.dilation;
    const int64_t fit = first >= length ? 0 : (length - 1 - first) / axis.dilation + 1;
    axis.taps.push_back({first, std::clamp<int64_t>(window.kernel[i] - skipped, 0, fit)});
  }
  return axis;
}

}  // namespace

Kernel MakeMaxPoolChannelsLast(const graph::Window& window, const graph::ResolvedWindow& resolved,
                               const tensor::Shape& src) {
  const bool is_series = src.rank() == 3;
  const Axis rows = is_series ? Axis{1, 1, {{0, 1}}} : MakeAxis(window, resolved, 0, src[2]);
  const Axis columns = is_series ? MakeAxis(window, resolved, 0, src[2]) : MakeAxis(window, resolved, 1, src[3]);
  return [rows, columns, samples = src[0], channels = src[1]](absl::Span<const void* const> sources, void* dst) {
    const auto* x = static_cast<const float*>(sources[0]);
    auto* y = static_cast<float*>(dst);
    const int64_t row_stride = columns.length * channels;
    for (int64_t n = 0; n < samples; ++n, x += rows.length * row_stride) {
      for (const Taps& down : rows.taps) {
        for (const Taps& along : columns.taps) {
          const float* const first = x + down.first * row_stride + along.first * channels;
          const int64_t step = columns.dilation * channels;
          // The first row begins; a second in the same line comes with it.
          if (along.count > 1) {
            MaximumOfTwo(first, first + step, channels, y);
          } else {
            std::memcpy(y, first, static_cast<size_t>(channels) * sizeof(float));
          }
          for (int64_t i = 0; i < down.count; ++i) {
            const float* const line = first + i * rows.dilation * row_stride;
            for (int64_t k = i == 0 ? 2 : 0; k < along.count; ++k) TakeMaximum(line + k * step, channels, y);
          }
          y += channels;
        }
      }
    }
  };
}

}  // namespace stillwave::kernels
