// Activations that exporters spell out as several operators become one.
#pragma once

#include "absl/status/statusor.h"
#include "server/graph/graph.h"

namespace stillwave::passes {

// x * sigmoid(x)               -> Swish
// x * hardsigmoid(x; 1/6, 1/2) -> HardSwish
// x * tanh(softplus(x))        -> Mish
// x * (1 + erf(x/√2)) * 1/2    -> Gelu, in any order of the factors
//
// Only where what lies between is read by nobody else and is no graph output.
absl::StatusOr<bool> FuseActivations(graph::Graph& graph);

}  // namespace stillwave::passes
