// Where the window of a transposed convolution lands.
#pragma once

#include "absl/status/statusor.h"
#include "server/graph/op.h"
#include "server/graph/shape_inference.h"

namespace stillwave::graph {

// The paddings with auto_pad and output_shape resolved, and the output's length, per spatial axis. `input` is
// {N,C,spatial…}. An output_shape that is longer than what the windows reach leaves zeros at the end.
// INVALID_ARGUMENT when nothing of the output is left.
absl::StatusOr<ResolvedWindow> ResolveTransposedWindow(const ConvTranspose& op, const tensor::Shape& input);

}  // namespace stillwave::graph
