// Plain row-major kernels for what oneDNN does not do: moving elements, arithmetic of any type and broadcasting,
// reductions over any axes, normalization by a sample's own statistics. Constant folding (passes/) and plan steps
// (execution/) run the same code.
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/graph/shape_inference.h"

namespace stillwave::kernels {

// A computation prepared for fixed shapes: does not allocate and does not fail. inputs[i] is the row-major data of
// input i (null where left out), aligned for its element type; output must not overlap an input. Thread-safe.
using Kernel = std::function<void(absl::Span<const void* const> inputs, void* output)>;

// Prepares `op` for these inputs. `output` is what graph::InferOutput gave for them. UNIMPLEMENTED for an operator
// without a kernel or an element type it does not know; INVALID_ARGUMENT for known values that are out of range
// (Gather).
absl::StatusOr<Kernel> MakeKernel(const graph::Op& op, absl::Span<const graph::InputType> inputs,
                                  const graph::TensorType& output);

}  // namespace stillwave::kernels
