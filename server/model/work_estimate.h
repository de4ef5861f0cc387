// How much a network computes, roughly: to choose what to warm up for.
#pragma once

#include <cstdint>

#include "server/graph/graph.h"

namespace stillwave::model {

// Multiply-adds of convolutions and matrix products, and 32 for each activation that a node reads or writes (about what
// moving it costs beside them). Saturates instead of overflowing. REQUIRES: `graph` is specialised.
int64_t EstimateWork(const graph::Graph& graph);

// The same of one of its nodes.
double EstimateNodeWork(const graph::Graph& graph, const graph::Node& node);

// How much of plans the network's nodes make: one for each, and one for every four inputs.
int64_t CountSteps(const graph::Graph& graph);

}  // namespace stillwave::model
