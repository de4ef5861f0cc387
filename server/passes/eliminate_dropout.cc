#include "server/passes/eliminate_dropout.h"

#include "server/passes/forward_nodes.h"

namespace stillwave::passes {

absl::StatusOr<bool> EliminateDropout(graph::Graph& graph) {
  return ForwardNodes(graph, [](const graph::Node& node) { return std::holds_alternative<graph::Dropout>(node.op); });
}

}  // namespace stillwave::passes
