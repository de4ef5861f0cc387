#pragma once

#include "server/passes/pass.h"

namespace stillwave::passes {

// relu(relu(x)) = relu(x): a Relu of what a Relu gave goes, however long the chain. Converters write such pairs where
// an activation was a layer and an argument of the layer before it.
absl::StatusOr<bool> EliminateRepeatedRelu(graph::Graph& graph);

}  // namespace stillwave::passes
