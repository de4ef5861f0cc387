#include "server/passes/fuse_relu.h"

#include <vector>

namespace stillwave::passes {
namespace {

bool IsRelu(const graph::Node& node) {
  const auto* unary = std::get_if<graph::Unary>(&node.op);
  return unary != nullptr && unary->kind == graph::UnaryKind::kRelu;
}

bool MayEndInRelu(const graph::Binary& op) { return op.kind == graph::BinaryKind::kAdd; }
template <typename Op>
bool MayEndInRelu(const Op&) {
  return true;
}

// Lets each `Op` node whose only reader is a Relu give the Relu's output itself.
template <typename Op>
bool FuseRelu(graph::Graph& graph) {
  const std::vector<int> uses = graph.UseCounts();
  const std::vector<int> producers = graph.Producers();
  std::vector<graph::Node>& nodes = graph.mutable_nodes();
  std::vector<bool> absorbed(nodes.size(), false);
  bool changed = false;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!IsRelu(nodes[i])) continue;
    const graph::ValueId between = nodes[i].inputs[0];
    const int producer = producers[static_cast<size_t>(between)];
    if (producer < 0 || uses[static_cast<size_t>(between)] != 1) continue;
    graph::Node& source = nodes[static_cast<size_t>(producer)];
    auto* op = std::get_if<Op>(&source.op);
    // A second Relu behind a fused one stays: relu(relu(x)) = relu(x), but it is not worth a rule.
    if (op == nullptr || op->fused_relu || !MayEndInRelu(*op)) continue;
    op->fused_relu = true;
    source.outputs[0] = nodes[i].outputs[0];
    absorbed[i] = true;
    changed = true;
  }
  size_t index = 0;
  std::erase_if(nodes, [&](const graph::Node&) { return absorbed[index++]; });
  return changed;
}

}  // namespace

absl::StatusOr<bool> FuseBatchNormRelu(graph::Graph& graph) { return FuseRelu<graph::BatchNormalization>(graph); }

absl::StatusOr<bool> FuseConvRelu(graph::Graph& graph) {
  const bool plain = FuseRelu<graph::Conv>(graph);
  const bool transposed = FuseRelu<graph::ConvTranspose>(graph);
  return plain || transposed;
}

absl::StatusOr<bool> FuseAddRelu(graph::Graph& graph) { return FuseRelu<graph::Binary>(graph); }

}  // namespace stillwave::passes
