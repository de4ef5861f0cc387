#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "server/passes/pass.h"

namespace stillwave::passes {

// A folded tensor may not be larger, unless one of its inputs is: a small file can ask for terabytes (ConstantOfShape).
inline constexpr int64_t kMaxFoldedBytes = int64_t{64} << 20;

// What folding one graph may cost over all its nodes: a small file can ask for 64 MiB in each of a thousand of them. A
// file that brings large weights may move them about.
class FoldBudget {
 public:
  explicit FoldBudget(const graph::Graph& graph);

  // Counts bytes that are read or written; false once there were too many.
  bool Spend(int64_t bytes) { return (left_ -= bytes) >= 0; }

 private:
  int64_t left_;
};

// Evaluates nodes whose inputs are all constants, where a plain kernel exists. INVALID_ARGUMENT, naming the node, when
// its constants do not fit together, or the result or all of them together are too large.
absl::StatusOr<bool> FoldConstants(graph::Graph& graph);

// The same for one node, which must have a kernel and whose output value must have its type and shape: its output
// becomes a constant. Inputs whose values are not needed (Shape) may be unknown.
absl::Status FoldNode(graph::Graph& graph, const graph::Node& node, FoldBudget& budget);

}  // namespace stillwave::passes
