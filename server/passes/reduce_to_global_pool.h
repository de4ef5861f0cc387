#pragma once

#include "server/passes/pass.h"

namespace stillwave::passes {

// Mean or maximum over exactly the spatial axes of N×C×spatial… is a global pooling, which runs in the layout that the
// convolutions use (newer exporters write ReduceMean for AdaptiveAvgPool). Without keep_dims a Reshape to N×C follows.
// REQUIRES: a specialised graph (all shapes concrete).
absl::StatusOr<bool> ReduceToGlobalPool(graph::Graph& graph);

}  // namespace stillwave::passes
