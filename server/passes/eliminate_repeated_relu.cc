#include "server/passes/eliminate_repeated_relu.h"

#include <vector>

#include "server/passes/forward_nodes.h"

namespace stillwave::passes {

absl::StatusOr<bool> EliminateRepeatedRelu(graph::Graph& graph) {
  std::vector<bool> rectified(graph.values().size(), false);
  return ForwardNodes(graph, [&](const graph::Node& node) {
    const auto* unary = std::get_if<graph::Unary>(&node.op);
    if (unary == nullptr || unary->kind != graph::UnaryKind::kRelu) return false;
    rectified[static_cast<size_t>(node.outputs[0])] = true;
    return static_cast<bool>(rectified[static_cast<size_t>(node.inputs[0])]);
  });
}

}  // namespace stillwave::passes
