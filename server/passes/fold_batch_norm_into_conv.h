#pragma once

#include "server/passes/pass.h"

namespace stillwave::passes {

// bn(conv(x)) becomes one Conv (batchnorm=folded only). With s = scale / sqrt(variance + epsilon), per output channel
// m:
//   s * (W·x + b - mean) + bias  =  (s*W)·x + (s*(b - mean) + bias)
// so W' = s*W and b' = s*(b - mean) + bias, formed in double and rounded once. Zero padding is inside W·x, where a zero
// stays zero, so folding backward is exact; folding a BatchNormalization forward into a padded Conv would not be, and
// is never done. Refused where the Conv's output is read by anything else or is a graph output, where a ReLU is fused
// between the two, and where weights or statistics are not constants.
absl::StatusOr<bool> FoldBatchNormIntoConv(graph::Graph& graph);

}  // namespace stillwave::passes
