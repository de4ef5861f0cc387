// The invariants that every pass must keep.
#pragma once

#include "absl/status/status.h"
#include "server/graph/graph.h"

namespace stillwave::graph {

// Checks that each value has one source (input, constant or node), that nodes
// stand in an order in which everything is produced before use, that each node
// has the number of inputs and outputs its operator takes, and that outputs
// exist. INVALID_ARGUMENT naming the node and the value.
absl::Status VerifyGraph(const Graph& graph);

}  // namespace stillwave::graph
