#include "server/kernels/max_pool.h"

#include <algorithm>
#include <vector>

#include "server/kernels/vectorize.h"

namespace stillwave::kernels {
namespace {

// What one output looks at: `rows` lines of `columns` taps, each of all channels.
struct Taken {
  int64_t rows = 1;
  int64_t row_step = 0;  // in floats
  int64_t columns = 1;
  int64_t column_step = 0;
};

// Vectors stay in registers while the taps go by: as many channels at a time as make two AVX vectors.
constexpr int64_t kPoolBlock = 16;

// A NaN stays once it is there, and comes from either side.
SW_VECTORIZED void TakeMaximum(const float* first, const Taken& taken, int64_t channels, float* y) {
  int64_t c = 0;
  for (; c + kPoolBlock <= channels; c += kPoolBlock) {
    float best[kPoolBlock];
    for (int64_t j = 0; j < kPoolBlock; ++j) best[j] = first[c + j];
    const float* line = first + c;
    for (int64_t i = 0; i < taken.rows; ++i, line += taken.row_step) {
      const float* x = line;
      for (int64_t k = 0; k < taken.columns; ++k, x += taken.column_step) {
        for (int64_t j = 0; j < kPoolBlock; ++j) best[j] = x[j] > best[j] || x[j] != x[j] ? x[j] : best[j];
      }
    }
    for (int64_t j = 0; j < kPoolBlock; ++j) y[c + j] = best[j];
  }
  for (; c < channels; ++c) {
    float best = first[c];
    for (int64_t i = 0; i < taken.rows; ++i) {
      const float* x = first + c + i * taken.row_step;
      for (int64_t k = 0; k < taken.columns; ++k, x += taken.column_step) best = *x > best || *x != *x ? *x : best;
    }
    y[c] = best;
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
    for (int64_t n = 0; n < samples; ++n, x += rows.length * row_stride) {
      for (const Taps& down : rows.taps) {
        for (const Taps& along : columns.taps) {
          const Taken taken{down.count, rows.dilation * row_stride, along.count, columns.dilation * channels};
          TakeMaximum(x + down.first * row_stride + along.first * channels, taken, channels, y);
          y += channels;
        }
      }
    }
  };
}

}  // namespace stillwave::kernels
