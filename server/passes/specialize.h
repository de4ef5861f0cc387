// From a graph with dynamic axes to one for concrete input shapes.
#pragma once

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/graph/graph.h"

namespace stillwave::passes {

// A copy of `graph` for inputs of these shapes: every value has its concrete shape, and everything that depends on
// shapes alone (Shape, Gather, Concat, … on int64) is a constant. Fixed axes of an input may be given another length (a
// declared batch of 1, for instance): whether the network can take it is found out here. INVALID_ARGUMENT naming node
// and rule when it cannot.
absl::StatusOr<graph::Graph> Specialize(const graph::Graph& graph, absl::Span<const tensor::Shape> input_shapes);

}  // namespace stillwave::passes
