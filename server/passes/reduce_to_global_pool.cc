#include "server/passes/reduce_to_global_pool.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/graph/shape_inference.h"

namespace stillwave::passes {
namespace {

using graph::Node;
using tensor::Shape;

bool ReducesSpatialAxes(const graph::Graph& graph, const Node& node, const graph::Reduce& op) {
  if (op.kind != graph::ReduceKind::kMean && op.kind != graph::ReduceKind::kMax) return false;
  const graph::Value& x = graph.value(node.inputs[0]);
  // A pool, unlike a reduction, has no value for an empty axis.
  if (x.shape.rank() < 3 || x.data_type != tensor::DataType::kFloat32 || x.shape.num_elements() == 0) return false;
  std::vector<graph::InputType> inputs = {{true, x.data_type, x.shape, nullptr}};
  if (node.inputs.size() > 1 && node.inputs[1] != graph::kNoValue) {
    const graph::Value& axes = graph.value(node.inputs[1]);
    inputs.push_back({true, axes.data_type, axes.shape, axes.constant.get()});
  }
  const absl::StatusOr<std::vector<int>> axes = graph::ReduceAxes(op, inputs);
  if (!axes.ok() || static_cast<int>(axes->size()) != x.shape.rank() - 2) return false;
  return axes->front() == 2;  // sorted and distinct, so these are 2 … rank-1
}

}  // namespace

absl::StatusOr<bool> ReduceToGlobalPool(graph::Graph& graph) {
  std::vector<Node> nodes = std::move(graph.mutable_nodes());
  graph.mutable_nodes().clear();
  bool changed = false;
  for (Node& node : nodes) {
    const auto* op = std::get_if<graph::Reduce>(&node.op);
    if (op == nullptr || !ReducesSpatialAxes(graph, node, *op)) {
      graph.mutable_nodes().push_back(std::move(node));
      continue;
    }
    changed = true;
    const graph::Value output = graph.value(node.outputs[0]);
    Shape pooled = graph.value(node.inputs[0]).shape;
    for (int axis = 2; axis < pooled.rank(); ++axis) pooled[axis] = 1;
    const graph::GlobalPool pool{
        .kind = op->kind == graph::ReduceKind::kMax ? graph::PoolKind::kMax : graph::PoolKind::kAverage,
        .of_blocks = op->of_blocks};
    if (op->keep_dims) {
      graph.AddNode({node.name, pool, {node.inputs[0]}, node.outputs});
      continue;
    }
    const graph::ValueId kept = graph.AddValue(absl::StrCat(output.name, ".pooled"));
    graph.mutable_value(kept).shape = pooled;
    const std::vector<int64_t> dims(output.shape.dims().begin(), output.shape.dims().end());
    const graph::ValueId shape =
        graph.AddConstant(absl::StrCat(output.name, ".shape"),
                          tensor::Tensor::FromValues<int64_t>({static_cast<int64_t>(dims.size())}, dims));
    graph.AddNode({node.name, pool, {node.inputs[0]}, {kept}});
    graph.AddNode(
        {absl::StrCat(node.name, ".reshape"), graph::Reshape{.allow_zero = true}, {kept, shape}, node.outputs});
  }
  return changed;
}

}  // namespace stillwave::passes
