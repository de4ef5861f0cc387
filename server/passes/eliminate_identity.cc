#include "server/passes/eliminate_identity.h"

#include "server/passes/forward_nodes.h"

namespace stillwave::passes {

absl::StatusOr<bool> EliminateIdentity(graph::Graph& graph) {
  return ForwardNodes(graph, [](const graph::Node& node) { return std::holds_alternative<graph::Identity>(node.op); });
}

}  // namespace stillwave::passes
