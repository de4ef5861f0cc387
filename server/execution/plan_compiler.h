#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/execution/execution_plan.h"
#include "server/execution/onednn/layout.h"
#include "server/execution/onednn/weight_cache.h"
#include "server/graph/graph.h"

namespace stillwave::execution {

// Output shapes of `graph` for these input shapes, without compiling. RESOURCE_EXHAUSTED when the plan would need
// more memory than it may have; else errors as CompilePlan's of the same shapes. Thread-safe.
absl::StatusOr<std::vector<tensor::Shape>> InferOutputShapes(const graph::Graph& graph,
                                                             absl::Span<const tensor::Shape> input_shapes);

// A plan's primitives may not hold more (see kConvolutionBytesPerColumn): an input that long is refused.
inline constexpr size_t kMaxPrimitiveBytes = size_t{512} << 20;

// Specialises `graph` to these input shapes and compiles it. Packed weights are taken from and put into `weights`,
// which the plans of one graph share. Layers work in `element` where oneDNN can; bf16 REQUIRES onednn::HasBf16().
// INVALID_ARGUMENT when the network cannot take these shapes, UNIMPLEMENTED when a node has no implementation for them;
// both name the node. Thread-safe.
absl::StatusOr<std::shared_ptr<const ExecutionPlan>> CompilePlan(const graph::Graph& graph,
                                                                 absl::Span<const tensor::Shape> input_shapes,
                                                                 onednn::WeightCache& weights,
                                                                 onednn::Element element = onednn::Element::kFp32);

}  // namespace stillwave::execution
