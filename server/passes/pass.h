// A pass rewrites a graph without changing what it computes.
#pragma once

#include "absl/status/statusor.h"
#include "server/graph/graph.h"

namespace stillwave::passes {

// Each pass is a free function that says whether it changed the graph:
//   absl::StatusOr<bool> EliminateIdentity(graph::Graph& graph);
using Pass = absl::StatusOr<bool> (*)(graph::Graph&);

}  // namespace stillwave::passes
