// A transposed convolution over time becomes a plain one, whose channels are then laid out in time.
#pragma once

#include "absl/status/statusor.h"
#include "server/graph/graph.h"

namespace stillwave::passes {

// With stride s, output step t*s + p sees only the taps j*s + p of the kernel. So for each phase p of the s there is a
// small convolution over the input, and all phases together are one with s*M channels:
//
//   y[t*s + p, m] = sum over j, c of x[t - j, c] W[c, m, j*s + p]
//   ConvTranspose {C,M,K}  ->  Conv {s*M,C,J}, J = ceil(K/s), padded by J-1  ->  Interleave(s)  ->  Slice
//
// The Slice takes off what `pads` crop. Channels last, Interleave moves nothing.
// Refused: groups, dilation, auto_pad, output_shape, more than one spatial axis, computed weights.
absl::StatusOr<bool> SplitConvTranspose(graph::Graph& graph);

}  // namespace stillwave::passes
