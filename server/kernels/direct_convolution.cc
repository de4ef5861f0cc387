#include "server/kernels/direct_convolution.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "server/base/check.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace stillwave::kernels {

#if defined(__x86_64__)

// The loops over sums must be unrolled, or the sums live in memory.
#if defined(__clang__)
#define SW_AVX2_FMA __attribute__((target("avx2,fma")))
#define SW_UNROLLED _Pragma("unroll")
#else
#define SW_AVX2_FMA __attribute__((target("avx2,fma"), optimize("O3")))
#define SW_UNROLLED _Pragma("GCC unroll 8")
#endif

namespace {

constexpr int kMaxBlocks = 3;
constexpr int kMaxPositions = 8;

// Sums, one vector of weights for each block and one input fill the 16 registers.
constexpr int TilePositions(int blocks) {
  constexpr std::array<int, kMaxBlocks> kPositions = {8, 6, 4};
  return kPositions[static_cast<size_t>(blocks) - 1];
}

// Neighboring taps are one run of floats where no dilation lies between them.
struct TapRuns {
  std::vector<int64_t> offsets;  // of each run, in floats, from the window's first
  int64_t run = 0;
};

// Some blocks of output channels.
struct TileOutputs {
  const float* weights = nullptr;
  int64_t block_size = 0;  // floats of one block's weights
  std::array<float, kMaxBlocks* kDirectBlock> bias = {};
  int64_t channels = 0;  // at most 8 a block
  bool relu = false;
};

// Where windows begin, and where their outputs go.
struct TileWindows {
  std::array<const float*, kMaxPositions> from;
  std::array<float*, kMaxPositions> to;
};

template <int kBlocks, int kPositions>
SW_AVX2_FMA void ComputeTile(const TileWindows& windows, const TapRuns& taps, const TileOutputs& outputs) {
  __m256 sums[kPositions][kBlocks];
  SW_UNROLLED
  for (int p = 0; p < kPositions; ++p) {
    SW_UNROLLED
    for (int b = 0; b < kBlocks; ++b) sums[p][b] = _mm256_loadu_ps(outputs.bias.data() + b * kDirectBlock);
  }
  const float* weights = outputs.weights;
  for (const int64_t offset : taps.offsets) {
    const float* x[kPositions];
    SW_UNROLLED
    for (int p = 0; p < kPositions; ++p) x[p] = windows.from[static_cast<size_t>(p)] + offset;
    for (int64_t i = 0; i < taps.run; ++i, weights += kDirectBlock) {
      __m256 w[kBlocks];
      SW_UNROLLED
      for (int b = 0; b < kBlocks; ++b) w[b] = _mm256_loadu_ps(weights + b * outputs.block_size);
      SW_UNROLLED
      for (int p = 0; p < kPositions; ++p) {
        const __m256 value = _mm256_broadcast_ss(x[p] + i);
        SW_UNROLLED
        for (int b = 0; b < kBlocks; ++b) sums[p][b] = _mm256_fmadd_ps(value, w[b], sums[p][b]);
      }
    }
  }
  SW_UNROLLED
  for (int p = 0; p < kPositions; ++p) {
    float* const to = windows.to[static_cast<size_t>(p)];
    SW_UNROLLED
    for (int b = 0; b < kBlocks; ++b) {
      // A NaN comes through: it is the second operand.
      const __m256 y = outputs.relu ? _mm256_max_ps(_mm256_setzero_ps(), sums[p][b]) : sums[p][b];
      const int64_t left = outputs.channels - b * kDirectBlock;
      if (left >= kDirectBlock) {
        _mm256_storeu_ps(to + b * kDirectBlock, y);
      } else {
        float last[kDirectBlock];
        _mm256_storeu_ps(last, y);
        std::memcpy(to + b * kDirectBlock, last, static_cast<size_t>(left) * sizeof(float));
      }
    }
  }
}

using TileFunction = void (*)(const TileWindows&, const TapRuns&, const TileOutputs&);

// By the number of positions, from 1 on.
template <int kBlocks, int... kLess>
constexpr std::array<TileFunction, kMaxPositions> TilesOf(std::integer_sequence<int, kLess...>) {
  return {ComputeTile<kBlocks, kLess + 1>...};
}

template <int kBlocks>
constexpr std::array<TileFunction, kMaxPositions> TilesOf() {
  return TilesOf<kBlocks>(std::make_integer_sequence<int, TilePositions(kBlocks)>());
}

constexpr std::array<std::array<TileFunction, kMaxPositions>, kMaxBlocks> kTiles = {TilesOf<1>(), TilesOf<2>(),
                                                                                    TilesOf<3>()};

// An odd one out goes with two others.
int TakeBlocks(int64_t left) {
  if (left == 1) return 1;
  return left % 2 == 0 ? 2 : 3;
}

TapRuns MakeTapRuns(const DirectShape& shape) {
  TapRuns taps;
  const bool joined = shape.columns.dilation == 1;
  taps.run = (joined ? shape.columns.kernel : 1) * shape.channels;
  for (int64_t i = 0; i < shape.rows.kernel; ++i) {
    const int64_t row = i * shape.rows.dilation * shape.columns.length;
    for (int64_t j = 0; j < (joined ? 1 : shape.columns.kernel); ++j) {
      taps.offsets.push_back((row + j * shape.columns.dilation) * shape.channels);
    }
  }
  return taps;
}

// Samples whose input stays in the caches while one group of output channels after the other reads it.
int64_t SamplesAtOnce(const DirectShape& shape) {
  constexpr int64_t kFloats = 32768;
  const int64_t sample = shape.rows.length * shape.columns.length * shape.channels;
  return std::max<int64_t>(1, kFloats / std::max<int64_t>(1, sample));
}

// All windows of `samples` for one group of output channels; `y` points to the group's first.
void ComputeGroup(const DirectShape& shape, const TapRuns& taps, const TileOutputs& outputs, int blocks,
                  int64_t samples, const float* x, float* y) {
  const auto& tiles = kTiles[static_cast<size_t>(blocks) - 1];
  const auto most = static_cast<size_t>(TilePositions(blocks));
  const int64_t row = shape.columns.length * shape.channels;
  TileWindows windows;
  size_t count = 0;
  for (int64_t n = 0; n < samples; ++n, x += shape.rows.length * row) {
    for (int64_t i = 0; i < shape.rows.output; ++i) {
      const float* from = x + i * shape.rows.stride * row;
      for (int64_t j = 0; j < shape.columns.output; ++j, y += shape.out_channels) {
        windows.from[count] = from + j * shape.columns.stride * shape.channels;
        windows.to[count] = y;
        if (++count < most) continue;
        tiles[count - 1](windows, taps, outputs);
        count = 0;
      }
    }
  }
  if (count > 0) tiles[count - 1](windows, taps, outputs);
}

}  // namespace

bool HasDirectConvolution() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

Kernel DirectConvolution(const DirectShape& shape, bool has_bias, bool relu) {
  SW_CHECK(HasDirectConvolution());
  return [shape, has_bias, relu, taps = MakeTapRuns(shape)](absl::Span<const void* const> sources, void* dst) {
    const int64_t at_once = SamplesAtOnce(shape);
    const int64_t sample = shape.rows.length * shape.columns.length * shape.channels;
    const int64_t output = shape.rows.output * shape.columns.output * shape.out_channels;
    const int64_t all_blocks = (shape.out_channels + kDirectBlock - 1) / kDirectBlock;
    for (int64_t n = 0; n < shape.samples; n += at_once) {
      const float* const x = static_cast<const float*>(sources[0]) + n * sample;
      float* const y = static_cast<float*>(dst) + n * output;
      TileOutputs outputs;
      outputs.block_size = static_cast<int64_t>(taps.offsets.size()) * taps.run * kDirectBlock;
      outputs.relu = relu;
      for (int64_t block = 0; block < all_blocks;) {
        const int blocks = TakeBlocks(all_blocks - block);
        const int64_t first = block * kDirectBlock;
        outputs.weights = static_cast<const float*>(sources[1]) + block * outputs.block_size;
        outputs.channels = std::min(shape.out_channels - first, blocks * kDirectBlock);
        if (has_bias)
          std::copy_n(static_cast<const float*>(sources[2]) + first, outputs.channels, outputs.bias.begin());
        ComputeGroup(shape, taps, outputs, blocks, std::min(at_once, shape.samples - n), x, y + first);
        block += blocks;
      }
    }
  };
}

#undef SW_AVX2_FMA
#undef SW_UNROLLED

#else

bool HasDirectConvolution() { return false; }

Kernel DirectConvolution(const DirectShape&, bool, bool) { SW_CHECK(false); }

#endif

}  // namespace stillwave::kernels
