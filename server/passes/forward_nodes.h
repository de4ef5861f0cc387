#pragma once

#include <numeric>
#include <utility>
#include <vector>

#include "server/graph/graph.h"

namespace stillwave::passes {

// Removes every node that `passes_through(node)` selects; readers of its output read its first input. Linear time.
template <typename Predicate>
bool ForwardNodes(graph::Graph& graph, Predicate passes_through) {
  std::vector<graph::ValueId> replacement(graph.values().size());
  std::iota(replacement.begin(), replacement.end(), 0);
  const auto removed = std::erase_if(graph.mutable_nodes(), [&](const graph::Node& node) {
    if (!passes_through(node)) return false;
    replacement[static_cast<size_t>(node.outputs[0])] = node.inputs[0];
    return true;
  });
  if (removed == 0) return false;
  graph.ReplaceUses(std::move(replacement));
  return true;
}

}  // namespace stillwave::passes
