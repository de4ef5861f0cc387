// Convolution by fewer multiplications: Winograd's minimal filtering of two outputs at a time.
//
// Two neighboring outputs of a filter g over the inputs d that they see take four products instead of six where the
// filter has three taps, F(2,3), and three instead of four where it has two, F(2,2):
//
//   m0 = (d0 - d2) g0                    y0 = m0 + m1 + m2         m0 = (d0 - d1) g0      y0 = m0 + m1
//   m1 = (d1 + d2) (g0 + g1 + g2)/2      y1 = m1 - m2 - m3         m1 = d1 (g0 + g1)      y1 = m1 - m2
//   m2 = (d2 - d1) (g0 - g1 + g2)/2                                m2 = (d1 - d2) g1
//   m3 = (d1 - d3) g2
//
// S. Winograd, Arithmetic Complexity of Computations, SIAM 1980; for convolutions of many channels A. Lavin and S.
// Gray, arXiv:1509.09308. A longer filter is cut into pieces of three and two taps, whose products add up. Over
// channels and pieces each product is a matrix product, which oneDNN computes; the sums before and after are here. Only
// additions and halves are involved, so the rounding error is about twice that of the plain sum.
//
// Series lie channels last. A tile is two outputs; `tiles` = ceil(output length / 2) of each sample.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "server/kernels/kernel.h"
#include "server/tensor/tensor.h"

namespace stillwave::kernels {

struct WinogradShape {
  int64_t samples = 0;
  int64_t channels = 0;   // in
  int64_t length = 0;     // in
  int64_t pad_begin = 0;  // zeros before the first time step; what lies behind the last one is zero too
  int64_t kernel = 0;     // taps, 2 or more
  int64_t out_channels = 0;
  int64_t output_length = 0;

  // Pieces of three and of two taps.
  int64_t triples() const { return kernel % 3 == 1 ? kernel / 3 - 1 : kernel / 3; }
  int64_t pairs() const { return (kernel - 3 * triples()) / 2; }
  int64_t tiles() const { return (output_length + 1) / 2; }
  int64_t rows() const { return samples * tiles(); }
};

// What a shape may have at most.
inline constexpr int64_t kMaxOutChannels = 4096;

// One of the matrix products: {rows, channels} x {channels, out_channels}. Planes of all pieces of three taps come
// first, one behind the other, then those of the pieces of two.
struct WinogradPlane {
  int64_t channels = 0;       // pieces * in channels
  int64_t input_offset = 0;   // floats from the first plane, before the product
  int64_t output_offset = 0;  // after it
};
std::vector<WinogradPlane> WinogradPlanes(const WinogradShape& shape);

// {N,T,C} -> the planes.
Kernel WinogradInput(const WinogradShape& shape);

// The products, [bias {M}] -> {N,T',M}; then the ReLU, if `relu`.
Kernel WinogradOutput(const WinogradShape& shape, bool has_bias, bool relu);

// {M,C,K} or {M,C,1,K} -> {M,channels,1} of plane `plane`. REQUIRES: it is one of WinogradPlanes of a shape with that
// kernel.
absl::StatusOr<tensor::Tensor> WinogradWeights(const tensor::Tensor& weights, size_t plane);

}  // namespace stillwave::kernels
