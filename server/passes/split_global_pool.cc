#include "server/passes/split_global_pool.h"

#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"

namespace stillwave::passes {
namespace {

using graph::Node;
using tensor::Shape;

constexpr int64_t kLeastPositions = 512;
constexpr int kTimeAxis = 2;

// Marks a pool, whole or a Reduce, as the second of two steps; the first one.
graph::Pool FirstStepOf(graph::Op& op) {
  graph::Pool pool;
  if (auto* const reduce = std::get_if<graph::Reduce>(&op)) {
    pool.kind = reduce->kind == graph::ReduceKind::kMax ? graph::PoolKind::kMax : graph::PoolKind::kAverage;
    reduce->of_blocks = true;
  } else {
    auto& whole = std::get<graph::GlobalPool>(op);
    pool.kind = whole.kind;
    whole.of_blocks = true;
  }
  pool.window.kernel = pool.window.strides = {kPooledBlock};
  pool.window.dilations = {1};
  pool.window.pads_begin = pool.window.pads_end = {0};
  return pool;
}

}  // namespace

bool IsPooledInBlocks(const graph::GlobalPool& pool, const Shape& x) {
  if (pool.of_blocks || pool.kind == graph::PoolKind::kLp || x.rank() != 3) return false;
  return x[kTimeAxis] >= kLeastPositions && x[kTimeAxis] % kPooledBlock == 0;
}

bool SplitGlobalPools(graph::Graph& graph, absl::FunctionRef<bool(const Node&)> where) {
  std::vector<Node> nodes = std::move(graph.mutable_nodes());
  graph.mutable_nodes().clear();
  bool changed = false;
  for (Node& node : nodes) {
    const bool pools =
        std::holds_alternative<graph::GlobalPool>(node.op) || std::holds_alternative<graph::Reduce>(node.op);
    if (!pools || !where(node)) {
      graph.mutable_nodes().push_back(std::move(node));
      continue;
    }
    changed = true;
    const graph::Value x = graph.value(node.inputs[0]);
    const graph::ValueId blocks = graph.AddValue(absl::StrCat(graph.value(node.outputs[0]).name, ".blocks"));
    graph.mutable_value(blocks).data_type = x.data_type;
    graph.mutable_value(blocks).shape = x.shape;
    if (x.shape.rank() == 3 && x.shape[kTimeAxis] != tensor::kDynamicDim) {
      graph.mutable_value(blocks).shape[kTimeAxis] = x.shape[kTimeAxis] / kPooledBlock;
    }
    graph.AddNode({absl::StrCat(node.name, ".blocks"), FirstStepOf(node.op), {node.inputs[0]}, {blocks}});
    node.inputs[0] = blocks;
    graph.AddNode(std::move(node));
  }
  return changed;
}

bool SplitGlobalPools(graph::Graph& graph) {
  return SplitGlobalPools(graph, [&](const Node& node) {
    const auto* const pool = std::get_if<graph::GlobalPool>(&node.op);
    return pool != nullptr && IsPooledInBlocks(*pool, graph.value(node.inputs[0]).shape);
  });
}

}  // namespace stillwave::passes
