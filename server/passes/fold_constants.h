#pragma once

#include "absl/status/status.h"
#include "server/passes/pass.h"

namespace stillwave::passes {

// Folded tensors may not be larger: a small file can ask for terabytes (ConstantOfShape).
inline constexpr int64_t kMaxFoldedBytes = int64_t{64} << 20;

// Evaluates nodes whose inputs are all constants, where a plain kernel exists. INVALID_ARGUMENT, naming the node, when
// its constants do not fit together or the result is larger than kMaxFoldedBytes.
absl::StatusOr<bool> FoldConstants(graph::Graph& graph);

// The same for one node, which must have a kernel and whose output value must have its type and shape: its output
// becomes a constant. Inputs whose values are not needed (Shape) may be unknown.
absl::Status FoldNode(graph::Graph& graph, const graph::Node& node);

}  // namespace stillwave::passes
