#pragma once

#include "server/passes/pass.h"

namespace stillwave::passes {

// Removes nodes that no graph output depends on.
absl::StatusOr<bool> EliminateDeadNodes(graph::Graph& graph);

}  // namespace stillwave::passes
