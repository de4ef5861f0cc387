#include "server/passes/specialize.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/graph/shape_inference.h"
#include "server/kernels/kernel.h"
#include "server/passes/eliminate_dead_nodes.h"
#include "server/passes/fold_constants.h"
#include "server/passes/reduce_to_global_pool.h"

namespace stillwave::passes {
namespace {

// Shape and Size know their answer from their input's shape alone.
bool IsKnown(const graph::Graph& graph, const graph::Node& node) {
  if (std::holds_alternative<graph::ShapeOf>(node.op) || std::holds_alternative<graph::SizeOf>(node.op)) return true;
  // Weights may be stand-ins without elements by now (PlanCache::ReleasePackedWeights): their operators are compiled.
  if (std::holds_alternative<graph::Conv>(node.op) || std::holds_alternative<graph::Gemm>(node.op) ||
      std::holds_alternative<graph::MatMul>(node.op)) {
    return false;
  }
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&](graph::ValueId id) { return id == graph::kNoValue || graph.value(id).constant != nullptr; });
}

}  // namespace

absl::StatusOr<graph::Graph> Specialize(const graph::Graph& graph, absl::Span<const tensor::Shape> input_shapes) {
  if (input_shapes.size() != graph.inputs().size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the network has ", graph.inputs().size(), " inputs; got ", input_shapes.size()));
  }
  graph::Graph result = graph;
  for (size_t i = 0; i < input_shapes.size(); ++i) {
    graph::Value& input = result.mutable_value(result.inputs()[i]);
    if (input_shapes[i].rank() != input.shape.rank()) {
      return absl::InvalidArgumentError(absl::StrCat("input '", input.name, "' must be of rank ", input.shape.rank(),
                                                     "; was ", input_shapes[i].ToString()));
    }
    RETURN_IF_ERROR(input_shapes[i].ElementCount().status());
    input.shape = input_shapes[i];
  }
  FoldBudget budget(result);
  std::vector<graph::Node> kept;
  for (graph::Node& node : result.mutable_nodes()) {
    ASSIGN_OR_RETURN(const graph::TensorType type, graph::InferNode(result, node));
    graph::Value& output = result.mutable_value(node.outputs[0]);
    output.data_type = type.data_type;
    output.shape = type.shape;
    if (IsKnown(result, node)) {
      RETURN_IF_ERROR(FoldNode(result, node, budget));
    } else {
      kept.push_back(std::move(node));
    }
  }
  result.mutable_nodes() = std::move(kept);
  RETURN_IF_ERROR(ReduceToGlobalPool(result).status());
  RETURN_IF_ERROR(EliminateDeadNodes(result).status());
  return result;
}

}  // namespace stillwave::passes
