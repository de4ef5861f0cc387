// A second opinion on what a network computes: every operator of server/graph/op.h written straight from the ONNX
// operator's text, as plain loops in double over row-major tensors. Slow and clear; it shares no code with the
// server's shape inference, kernels or plans, so an error would have to be made twice to go unseen.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/graph/graph.h"
#include "tests/support/ref_tensor.h"

namespace stillwave::test_support {

// The graph's outputs for these inputs (in the graph's order; any batch size and length that the network can take).
// FP32 arithmetic is done in double and not rounded between operators. INVALID_ARGUMENT, with the node's name, when
// an operator cannot take its inputs.
absl::StatusOr<std::vector<RefTensor>> Interpret(const graph::Graph& graph, std::vector<RefTensor> inputs);

// One operator; inputs[i] is null where an optional input is left out.
absl::StatusOr<RefTensor> InterpretOp(const graph::Op& op, absl::Span<const RefTensor* const> inputs);

}  // namespace stillwave::test_support
