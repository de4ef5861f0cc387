#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/execution/execution_plan.h"
#include "server/execution/onednn/weight_cache.h"
#include "server/graph/graph.h"

namespace stillwave::execution {

// Specialises `graph` to these input shapes and compiles it. Packed weights are taken from and put into `weights`,
// which the plans of one graph share. INVALID_ARGUMENT when the network cannot take these shapes, UNIMPLEMENTED when a
// node has no implementation for them; both name the node. Thread-safe.
absl::StatusOr<std::shared_ptr<const ExecutionPlan>> CompilePlan(const graph::Graph& graph,
                                                                 absl::Span<const tensor::Shape> input_shapes,
                                                                 onednn::WeightCache& weights);

}  // namespace stillwave::execution
