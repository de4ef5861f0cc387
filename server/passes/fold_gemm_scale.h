#pragma once

#include "server/passes/pass.h"

namespace stillwave::passes {

// alpha·A·B + beta·C  ->  A·(alpha·B) + (beta·C), where B and C are constants: rounded once a weight, at load, so that
// plans share what they pack of it. beta = 0 stays: it says that C is not read.
absl::StatusOr<bool> FoldGemmScale(graph::Graph& graph);

}  // namespace stillwave::passes
