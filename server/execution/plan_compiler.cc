#include "server/execution/plan_compiler.h"

#include <utility>

#include "server/base/status_macros.h"
#include "server/execution/lowering.h"
#include "server/execution/plan_builder.h"
#include "server/passes/specialize.h"

namespace stillwave::execution {

absl::StatusOr<std::shared_ptr<const ExecutionPlan>> CompilePlan(const graph::Graph& graph,
                                                                 absl::Span<const tensor::Shape> input_shapes,
                                                                 onednn::WeightCache& weights) {
  ExecutionContext::UseOneThread();
  ASSIGN_OR_RETURN(const graph::Graph specialized, passes::Specialize(graph, input_shapes));
  PlanBuilder builder(specialized, weights);
  for (const graph::Node& node : specialized.nodes()) RETURN_IF_ERROR(LowerNode(node, builder));
  ASSIGN_OR_RETURN(ExecutionPlan::Parts parts, builder.Finish());
  return std::make_shared<const ExecutionPlan>(std::move(parts));
}

}  // namespace stillwave::execution
