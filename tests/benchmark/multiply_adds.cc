#include "tests/benchmark/multiply_adds.h"

#include <variant>

namespace stillwave::benchmark {
namespace {

const tensor::Shape& InputShape(const graph::Graph& graph, const graph::Node& node, size_t index) {
  return graph.value(node.inputs[index]).shape;
}

// W {M,C/group,kernel…} or, transposed, {C,M/group,kernel…}: what one element of the axis 0 tensor meets.
int64_t WindowElements(const tensor::Shape& weights) {
  return weights[0] == 0 ? 0 : weights.num_elements() / weights[0];
}

}  // namespace

int64_t MultiplyAdds(const graph::Graph& graph, const graph::Node& node) {
  const tensor::Shape& output = graph.value(node.outputs[0]).shape;
  if (std::holds_alternative<graph::Conv>(node.op)) {
    return output.num_elements() * WindowElements(InputShape(graph, node, 1));
  }
  if (std::holds_alternative<graph::ConvTranspose>(node.op)) {
    return InputShape(graph, node, 0).num_elements() * WindowElements(InputShape(graph, node, 1));
  }
  if (const auto* gemm = std::get_if<graph::Gemm>(&node.op)) {
    return output.num_elements() * InputShape(graph, node, 0)[gemm->transpose_a ? 0 : 1];
  }
  if (std::holds_alternative<graph::MatMul>(node.op)) {
    const tensor::Shape& a = InputShape(graph, node, 0);
    return output.num_elements() * a[a.rank() - 1];
  }
  return 0;
}

int64_t MultiplyAdds(const graph::Graph& graph) {
  int64_t sum = 0;
  for (const graph::Node& node : graph.nodes()) sum += MultiplyAdds(graph, node);
  return sum;
}

absl::flat_hash_map<std::string, int64_t> MultiplyAddsByNode(const graph::Graph& graph) {
  absl::flat_hash_map<std::string, int64_t> counts;
  for (const graph::Node& node : graph.nodes()) {
    if (const int64_t count = MultiplyAdds(graph, node); count > 0) counts[node.name] += count;
  }
  return counts;
}

}  // namespace stillwave::benchmark
