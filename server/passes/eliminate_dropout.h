#pragma once

#include "server/passes/pass.h"

namespace stillwave::passes {

// Dropout in inference mode passes its input on; that it is in inference mode was checked at import.
absl::StatusOr<bool> EliminateDropout(graph::Graph& graph);

}  // namespace stillwave::passes
