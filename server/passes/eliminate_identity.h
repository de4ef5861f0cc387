#pragma once

#include "server/passes/pass.h"

namespace stillwave::passes {

// Readers of an Identity's output read its input. An output of the graph may thereby become an input or a constant.
absl::StatusOr<bool> EliminateIdentity(graph::Graph& graph);

}  // namespace stillwave::passes
