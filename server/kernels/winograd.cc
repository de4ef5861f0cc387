#include "server/kernels/winograd.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/kernels/vectorize.h"

namespace stillwave::kernels {
namespace {

using tensor::Tensor;

constexpr int64_t kTriplePlanes = 4;
constexpr int64_t kPairPlanes = 3;

// One tile and one piece of three taps, all channels. The planes' rows lie `plane` floats apart.
SW_VECTORIZED void SpreadTriple(const float* d0, const float* d1, const float* d2, const float* d3, int64_t channels,
                                float* row, int64_t plane) {
  float* const v1 = row + plane;
  float* const v2 = v1 + plane;
  float* const v3 = v2 + plane;
  SW_INDEPENDENT
  for (int64_t c = 0; c < channels; ++c) {
    const float first = d1[c];
    const float second = d2[c];
    row[c] = d0[c] - second;
    v1[c] = first + second;
    v2[c] = second - first;
    v3[c] = first - d3[c];
  }
}

SW_VECTORIZED void SpreadPair(const float* d0, const float* d1, const float* d2, int64_t channels, float* row,
                              int64_t plane) {
  float* const v1 = row + plane;
  float* const v2 = v1 + plane;
  SW_INDEPENDENT
  for (int64_t c = 0; c < channels; ++c) {
    const float middle = d1[c];
    row[c] = d0[c] - middle;
    v1[c] = middle;
    v2[c] = middle - d2[c];
  }
}

// Two outputs of all channels, y0 and y1; what the pieces of two taps add is already there if `add`.
SW_VECTORIZED void GatherTriples(const float* m, int64_t plane, int64_t channels, bool add, float* y0, float* y1) {
  const float* const m1 = m + plane;
  const float* const m2 = m1 + plane;
  const float* const m3 = m2 + plane;
  if (add) {
    SW_INDEPENDENT
    for (int64_t c = 0; c < channels; ++c) {
      y0[c] += (m[c] + m1[c]) + m2[c];
      y1[c] += (m1[c] - m2[c]) - m3[c];
    }
    return;
  }
  SW_INDEPENDENT
  for (int64_t c = 0; c < channels; ++c) {
    y0[c] = (m[c] + m1[c]) + m2[c];
    y1[c] = (m1[c] - m2[c]) - m3[c];
  }
}

SW_VECTORIZED void GatherPairs(const float* m, int64_t plane, int64_t channels, float* y0, float* y1) {
  const float* const m1 = m + plane;
  const float* const m2 = m1 + plane;
  SW_INDEPENDENT
  for (int64_t c = 0; c < channels; ++c) {
    y0[c] = m[c] + m1[c];
    y1[c] = m1[c] - m2[c];
  }
}

SW_VECTORIZED void AddBias(const float* bias, int64_t channels, bool relu, float* y) {
  const float floor = relu ? 0.0F : -std::numeric_limits<float>::infinity();
  SW_INDEPENDENT
  for (int64_t c = 0; c < channels; ++c) {
    const float sum = y[c] + bias[c];
    y[c] = sum < floor ? floor : sum;
  }
}

}  // namespace

std::vector<WinogradPlane> WinogradPlanes(const WinogradShape& shape) {
  std::vector<WinogradPlane> planes;
  int64_t input_offset = 0;
  int64_t output_offset = 0;
  const auto add = [&](int64_t count, int64_t pieces) {
    for (int64_t i = 0; pieces > 0 && i < count; ++i) {
      planes.push_back({pieces * shape.channels, input_offset, output_offset});
      input_offset += shape.rows() * pieces * shape.channels;
      output_offset += shape.rows() * shape.out_channels;
    }
  };
  add(kTriplePlanes, shape.triples());
  add(kPairPlanes, shape.pairs());
  return planes;
}

Kernel WinogradInput(const WinogradShape& shape) {
  const std::vector<float> zeros(static_cast<size_t>(shape.channels), 0.0F);
  return [shape, zeros](absl::Span<const void* const> sources, void* dst) {
    const auto* x = static_cast<const float*>(sources[0]);
    const int64_t channels = shape.channels;
    const int64_t triple_plane = shape.rows() * shape.triples() * channels;
    const int64_t pair_plane = shape.rows() * shape.pairs() * channels;
    float* triple_row = static_cast<float*>(dst);
    float* pair_row = triple_row + kTriplePlanes * triple_plane;
    for (int64_t n = 0; n < shape.samples; ++n) {
      const auto at = [&](int64_t t) { return t >= 0 && t < shape.length ? x + t * channels : zeros.data(); };
      for (int64_t tile = 0; tile < shape.tiles(); ++tile) {
        int64_t t = 2 * tile - shape.pad_begin;
        for (int64_t i = 0; i < shape.triples(); ++i, t += 3, triple_row += channels) {
          SpreadTriple(at(t), at(t + 1), at(t + 2), at(t + 3), channels, triple_row, triple_plane);
        }
        for (int64_t i = 0; i < shape.pairs(); ++i, t += 2, pair_row += channels) {
          SpreadPair(at(t), at(t + 1), at(t + 2), channels, pair_row, pair_plane);
        }
      }
      x += shape.length * channels;
    }
  };
}

Kernel WinogradOutput(const WinogradShape& shape, bool has_bias, bool relu) {
  const std::vector<float> zeros(static_cast<size_t>(shape.out_channels), 0.0F);
  const bool odd = shape.output_length % 2 != 0;
  return [shape, zeros, has_bias, relu, odd](absl::Span<const void* const> sources, void* dst) {
    const int64_t channels = shape.out_channels;
    const int64_t plane = shape.rows() * channels;
    const float* triple = static_cast<const float*>(sources[0]);
    const float* pair = shape.triples() > 0 ? triple + kTriplePlanes * plane : triple;
    const auto* bias = has_bias ? static_cast<const float*>(sources[1]) : zeros.data();
    auto* y = static_cast<float*>(dst);
    std::array<float, kMaxOutChannels> beyond;  // of an odd length's last tile
    for (int64_t n = 0; n < shape.samples; ++n) {
      for (int64_t tile = 0; tile < shape.tiles(); ++tile) {
        const bool last = odd && tile + 1 == shape.tiles();
        float* const y1 = last ? beyond.data() : y + channels;
        if (shape.pairs() > 0) GatherPairs(pair, plane, channels, y, y1);
        if (shape.triples() > 0) GatherTriples(triple, plane, channels, shape.pairs() > 0, y, y1);
        if (has_bias || relu) {
          AddBias(bias, channels, relu, y);
          if (!last) AddBias(bias, channels, relu, y1);
        }
        triple += channels;
        pair += channels;
        y += (last ? 1 : 2) * channels;
      }
    }
  };
}

absl::StatusOr<Tensor> WinogradWeights(const Tensor& weights, size_t plane) {
  const int64_t outputs = weights.shape()[0];
  const int64_t channels = weights.shape()[1];
  const WinogradShape shape{.kernel = weights.shape()[weights.shape().rank() - 1]};
  SW_CHECK(weights.num_elements() == outputs * channels * shape.kernel);
  const bool is_triple = shape.triples() > 0 && plane < kTriplePlanes;
  const size_t index = is_triple || shape.triples() == 0 ? plane : plane - kTriplePlanes;
  const int64_t pieces = is_triple ? shape.triples() : shape.pairs();
  const int64_t taps = is_triple ? 3 : 2;
  const int64_t first = is_triple ? 0 : 3 * shape.triples();
  ASSIGN_OR_RETURN(Tensor result, Tensor::Create(tensor::DataType::kFloat32, {outputs, pieces * channels, 1}));
  const float* const from = weights.values<float>().data();
  float* to = result.mutable_values<float>().data();
  for (int64_t m = 0; m < outputs; ++m) {
    for (int64_t piece = 0; piece < pieces; ++piece) {
      for (int64_t c = 0; c < channels; ++c) {
        const float* const g = from + (m * channels + c) * shape.kernel + first + piece * taps;
        const double g0 = g[0];
        const double g1 = g[1];
        double value = 0;
        if (is_triple) {
          const double g2 = g[2];
          const double options[] = {g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2};
          value = options[index];
        } else {
          const double options[] = {g0, g0 + g1, g1};
          value = options[index];
        }
        *to++ = static_cast<float>(value);
      }
    }
  }
  return result;
}

}  // namespace stillwave::kernels
