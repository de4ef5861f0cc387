#include "server/model/work_estimate.h"

#include <limits>
#include <variant>

namespace stillwave::model {
namespace {

using tensor::Shape;

constexpr double kWorkPerElement = 32;

// In double: shapes of hostile files multiply beyond int64.
double Elements(const Shape& shape) {
  double count = 1;
  for (const int64_t dim : shape.dims()) count *= static_cast<double>(dim);
  return count;
}

// Multiply-adds for each element that the node writes.
double PerOutputElement(const graph::Graph& graph, const graph::Node& node) {
  const auto shape = [&](size_t i) -> const Shape& { return graph.value(node.inputs[i]).shape; };
  if (std::holds_alternative<graph::Conv>(node.op)) {
    const Shape& weights = shape(1);  // {M,C/group,kernel…}
    return weights[0] == 0 ? 0 : Elements(weights) / static_cast<double>(weights[0]);
  }
  if (std::holds_alternative<graph::ConvTranspose>(node.op)) {
    const Shape& weights = shape(1);  // {C,M/group,kernel…}
    return weights[1] == 0 ? 0 : Elements(weights) / static_cast<double>(weights[1]);
  }
  const auto* gemm = std::get_if<graph::Gemm>(&node.op);
  if (gemm != nullptr) return static_cast<double>(shape(0)[gemm->transpose_a ? 0 : 1]);
  if (std::holds_alternative<graph::MatMul>(node.op)) return static_cast<double>(shape(0)[shape(0).rank() - 1]);
  return 0;
}

}  // namespace

double EstimateNodeWork(const graph::Graph& graph, const graph::Node& node) {
  const double written = Elements(graph.value(node.outputs[0]).shape);
  double moved = written;
  for (const graph::ValueId id : node.inputs) {
    if (id != graph::kNoValue && graph.value(id).constant == nullptr) moved += Elements(graph.value(id).shape);
  }
  return written * PerOutputElement(graph, node) + moved * kWorkPerElement;
}

int64_t EstimateWork(const graph::Graph& graph) {
  double work = 0;
  for (const graph::Node& node : graph.nodes()) work += EstimateNodeWork(graph, node);
  constexpr auto kMost = static_cast<double>(int64_t{1} << 62);
  return work < kMost ? static_cast<int64_t>(work) : std::numeric_limits<int64_t>::max();
}

int64_t CountSteps(const graph::Graph& graph) {
  int64_t steps = 0;
  for (const graph::Node& node : graph.nodes()) steps += 1 + static_cast<int64_t>(node.inputs.size()) / 4;
  return steps;
}

}  // namespace stillwave::model
