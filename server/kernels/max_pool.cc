#include "server/kernels/max_pool.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "server/kernels/vectorize.h"

namespace stillwave::kernels {
namespace {

constexpr int64_t kLanes = 8;
using Lanes = float __attribute__((vector_size(kLanes * sizeof(float)), aligned(sizeof(float)), may_alias));

// The largest of `count` rows of channels. A NaN stays once it is there, and comes from any row. Explicit vectors: left
// to the compiler, either the rows are written back after each other one, or the loop stays scalar.
SW_VECTORIZED void TakeMaximum(const float* const* rows, size_t count, int64_t channels, float* largest) {
  int64_t c = 0;
  for (; c + kLanes <= channels; c += kLanes) {
    Lanes best = *reinterpret_cast<const Lanes*>(rows[0] + c);
    for (size_t i = 1; i < count; ++i) {
      const Lanes x = *reinterpret_cast<const Lanes*>(rows[i] + c);
      best = ((x > best) | (x != x)) ? x : best;  // NOLINT(misc-redundant-expression): x is a NaN
    }
    *reinterpret_cast<Lanes*>(largest + c) = best;
  }
  for (; c < channels; ++c) {
    float best = rows[0][c];
    for (size_t i = 1; i < count; ++i) best = rows[i][c] > best || std::isnan(rows[i][c]) ? rows[i][c] : best;
    largest[c] = best;
  }
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
    std::array<const float*, 16> taps;
    for (int64_t n = 0; n < samples; ++n, x += rows.length * row_stride) {
      for (const Taps& down : rows.taps) {
        for (const Taps& along : columns.taps) {
          size_t count = 0;
          for (int64_t i = 0; i < down.count; ++i) {
            const float* const row = x + (down.first + i * rows.dilation) * row_stride + along.first * channels;
            for (int64_t k = 0; k < along.count; ++k) {
              if (count == taps.size()) {
                TakeMaximum(taps.data(), count, channels, y);
                taps[0] = y;
                count = 1;
              }
              taps[count++] = row + k * columns.dilation * channels;
            }
          }
          TakeMaximum(taps.data(), count, channels, y);
          y += channels;
        }
      }
    }
  };
}

}  // namespace stillwave::kernels
