#include "server/passes/eliminate_dead_nodes.h"

#include <algorithm>
#include <vector>

namespace stillwave::passes {

absl::StatusOr<bool> EliminateDeadNodes(graph::Graph& graph) {
  std::vector<bool> live(graph.values().size(), false);
  for (const graph::ValueId id : graph.outputs()) live[static_cast<size_t>(id)] = true;
  // Producers stand before readers, so one walk from the end sees every reader first.
  std::vector<graph::Node>& nodes = graph.mutable_nodes();
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    const bool needed = std::any_of(node->outputs.begin(), node->outputs.end(),
                                    [&](graph::ValueId id) { return live[static_cast<size_t>(id)]; });
    if (!needed) continue;
    for (const graph::ValueId id : node->inputs) {
      if (id != graph::kNoValue) live[static_cast<size_t>(id)] = true;
    }
  }
  const auto removed = std::erase_if(nodes, [&](const graph::Node& node) {
    return std::none_of(node.outputs.begin(), node.outputs.end(),
                        [&](graph::ValueId id) { return live[static_cast<size_t>(id)]; });
  });
  // What only dead nodes or folded ones read would stay in memory for as long as the graph.
  for (size_t i = 0; i < live.size(); ++i) {
    if (!live[i]) graph.mutable_value(static_cast<graph::ValueId>(i)).constant = nullptr;
  }
  return removed > 0;
}

}  // namespace stillwave::passes
