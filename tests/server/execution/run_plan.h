// Compiles a graph for the shapes of some inputs and runs it once.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/execution/execution_plan.h"
#include "server/graph/graph.h"
#include "server/tensor/tensor.h"
#include "tests/support/ref_tensor.h"

namespace stillwave::execution {

// With packed weights of its own.
absl::StatusOr<std::shared_ptr<const ExecutionPlan>> Compile(const graph::Graph& graph,
                                                             absl::Span<const tensor::Shape> input_shapes);

// Runs the plan in `context`.
absl::StatusOr<std::vector<tensor::Tensor>> RunPlan(const ExecutionPlan& plan, ExecutionContext& context,
                                                    absl::Span<const tensor::Tensor> inputs,
                                                    absl::Span<const tensor::DataType> output_types);

// Compile, then run in a new context. FP32 outputs, except where `graph`'s constants and casts make them integers.
absl::StatusOr<std::vector<test_support::RefTensor>> CompileAndRun(const graph::Graph& graph,
                                                                   const std::vector<test_support::RefTensor>& inputs);

// The steps of the plan as text, one a line, for failures.
std::string StepsText(const ExecutionPlan& plan);

}  // namespace stillwave::execution
