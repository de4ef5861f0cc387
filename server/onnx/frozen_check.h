// Whether a network is frozen: each row's output depends on that row and on constants alone.
#pragma once

#include "absl/status/status.h"
#include "server/graph/graph.h"

namespace stillwave::onnx_import {

// Checks what is only known once constants are folded and shapes are inferred; what the file itself says about
// training mode was refused by the importer. Names node and fault:
//   FAILED_PRECONDITION  a BatchNormalization parameter is computed from the request; a reduction, ArgMax, ArgMin,
//                        CumSum, LayerNormalization or softmax spans axis 0 of activations (the batch)
//   INVALID_ARGUMENT     a BatchNormalization parameter is not {C}, not finite, or a variance is negative;
//                        epsilon is negative or not finite; variance + epsilon is 0; a Conv, Gemm or MatMul weight is
//                        not finite
//   UNIMPLEMENTED        a BatchNormalization parameter is not FP32
// What reduces a value whose shape is not inferred yet (rank 0) is judged by axes 0 and "all"; a negative axis can only
// be told with the rank.
absl::Status CheckFrozen(const graph::Graph& graph);

}  // namespace stillwave::onnx_import
