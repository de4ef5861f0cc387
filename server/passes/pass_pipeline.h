// The ordered list of passes that a loaded graph goes through.
#pragma once

#include "absl/status/status.h"
#include "server/graph/graph.h"

namespace stillwave::passes {

struct PipelineOptions {
  // Fold BatchNormalization into a convolution before it, where that is exact.
  bool fold_batch_norm = false;
};

// Constants folded, Identity and Dropout gone, dead nodes gone: the graph that the frozen check looks at.
absl::Status SimplifyGraph(graph::Graph& graph);

// Fusions, after the frozen check. Both verify the graph after every pass that changed it; a graph that a pass broke is
// INTERNAL, naming the pass.
absl::Status OptimizeGraph(graph::Graph& graph, const PipelineOptions& options);

}  // namespace stillwave::passes
