#pragma once

#include "server/passes/pass.h"

namespace stillwave::passes {

// relu(bn(x)) becomes one BatchNormalization with a fused ReLU (oneDNN's fuse_norm_relu).
//   y = max(0, s * (x - mean) + bias): the same operations on each element in the same order, so bits do not change.
// Refused where the BatchNormalization's output is read by anything else or is a graph output.
absl::StatusOr<bool> FuseBatchNormRelu(graph::Graph& graph);

// relu(conv(x)) becomes one Conv with a ReLU post-op, or one ConvTranspose, under the same conditions and with the same
// bits.
absl::StatusOr<bool> FuseConvRelu(graph::Graph& graph);

// relu(a + b), where residual branches meet, becomes one Add, under the same conditions and with the same bits.
absl::StatusOr<bool> FuseAddRelu(graph::Graph& graph);

}  // namespace stillwave::passes
