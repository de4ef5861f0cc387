// Convolution of tensors that lie channels last, for CPUs whose widest vectors are AVX's: sums over all taps and
// channels stay in registers, for as many neighboring outputs as the registers hold.
#pragma once

#include <cstdint>
#include <vector>

#include "server/kernels/kernel.h"

namespace stillwave::kernels {

// One axis of the input, borders included, and what goes along it.
struct DirectAxis {
  int64_t length = 1;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t output = 1;  // windows; none hangs over the input's end
};

struct DirectShape {
  int64_t samples = 1;
  int64_t channels = 1;
  int64_t out_channels = 1;
  DirectAxis rows;
  DirectAxis columns;
};

// Output channels of one vector: weights lie as {M/8,kernel rows,kernel columns,C,8}, zeros where M ends.
inline constexpr int64_t kDirectBlock = 8;

// Whether this CPU has the instructions (AVX2 and FMA).
bool HasDirectConvolution();

// x {N,H,W,C}, weights as above, [bias {M}] -> {N,H',W',M}. An output's bits depend on what its window sees and on
// nothing else. REQUIRES: HasDirectConvolution().
Kernel DirectConvolution(const DirectShape& shape, bool has_bias, bool relu);

}  // namespace stillwave::kernels
