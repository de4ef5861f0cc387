#include "server/passes/fuse_activations.h"

#include <cmath>
#include <optional>
#include <vector>

namespace stillwave::passes {
namespace {

using graph::BinaryKind;
using graph::Node;
using graph::UnaryKind;
using graph::ValueId;

// Finds the node behind a value, if only one reader stands between.
class Matcher {
 public:
  explicit Matcher(const graph::Graph& graph)
      : graph_(graph), uses_(graph.UseCounts()), producers_(graph.Producers()) {}

  // The input of the Unary of that kind that makes `id` for a single reader.
  std::optional<ValueId> UnaryInput(ValueId id, UnaryKind kind) const {
    const Node* node = OnlyFor(id);
    const auto* unary = node == nullptr ? nullptr : std::get_if<graph::Unary>(&node->op);
    if (unary == nullptr || unary->kind != kind) return std::nullopt;
    return node->inputs[0];
  }

  // The node that makes `id` for a single reader.
  const Node* OnlyFor(ValueId id) const {
    const int producer = producers_[static_cast<size_t>(id)];
    if (producer < 0 || uses_[static_cast<size_t>(id)] != 1) return nullptr;
    return &graph_.nodes()[static_cast<size_t>(producer)];
  }

  // The other input of a Binary of that kind whose one input is the scalar `constant`; either order when it commutes.
  std::optional<ValueId> Beside(const Node* node, BinaryKind kind, double constant) const {
    const auto* binary = node == nullptr ? nullptr : std::get_if<graph::Binary>(&node->op);
    if (binary == nullptr || binary->kind != kind) return std::nullopt;
    if (IsScalar(node->inputs[1], constant)) return node->inputs[0];
    if (kind != BinaryKind::kDiv && IsScalar(node->inputs[0], constant)) return node->inputs[1];
    return std::nullopt;
  }

 private:
  // As exporters round: √2 is written with 7 to 17 digits.
  bool IsScalar(ValueId id, double wanted) const {
    const tensor::Tensor* constant = graph_.value(id).constant.get();
    return constant != nullptr && constant->data_type() == tensor::DataType::kFloat32 &&
           constant->num_elements() == 1 && constant->shape().rank() <= 1 &&
           std::abs(static_cast<double>(constant->values<float>()[0]) - wanted) < 1e-6;
  }

  const graph::Graph& graph_;
  std::vector<int> uses_;
  std::vector<int> producers_;
};

struct Fused {
  graph::Unary op;
  ValueId x;
};

// Whether `gate` is hardsigmoid(x; 1/6, 1/2).
bool IsHardSwishGate(const Matcher& match, ValueId gate, ValueId x) {
  const Node* node = match.OnlyFor(gate);
  const auto* unary = node == nullptr ? nullptr : std::get_if<graph::Unary>(&node->op);
  return unary != nullptr && unary->kind == UnaryKind::kHardSigmoid && node->inputs[0] == x &&
         std::abs(unary->alpha - 1.0F / 6) < 1e-6F && std::abs(unary->beta - 0.5F) < 1e-6F;
}

std::optional<Fused> MatchGate(const Matcher& match, ValueId x, ValueId gate) {
  if (match.UnaryInput(gate, UnaryKind::kSigmoid) == x) return Fused{{UnaryKind::kSwish, 1, 0}, x};
  if (IsHardSwishGate(match, gate, x)) return Fused{{UnaryKind::kHardSwish, 0, 0}, x};
  const std::optional<ValueId> softplus = match.UnaryInput(gate, UnaryKind::kTanh);
  if (softplus.has_value() && match.UnaryInput(*softplus, UnaryKind::kSoftplus) == x) {
    return Fused{{UnaryKind::kMish, 0, 0}, x};
  }
  return std::nullopt;
}

// Whether `id` is 1 + erf(x/√2).
bool IsGeluFactor(const Matcher& match, ValueId id, ValueId x) {
  const std::optional<ValueId> erf = match.Beside(match.OnlyFor(id), BinaryKind::kAdd, 1);
  const std::optional<ValueId> scaled =
      erf.has_value() ? match.UnaryInput(*erf, UnaryKind::kErf) : std::optional<ValueId>();
  if (!scaled.has_value()) return false;
  const Node* node = match.OnlyFor(*scaled);
  return match.Beside(node, BinaryKind::kDiv, std::sqrt(2.0)) == x ||
         match.Beside(node, BinaryKind::kMul, std::sqrt(0.5)) == x;
}

// x * (1 + erf) * 1/2, (x * 1/2) * (1 + erf), x * ((1 + erf) * 1/2).
std::optional<Fused> MatchGelu(const Matcher& match, const Node& product) {
  const Fused gelu{{UnaryKind::kGelu, 0, 0}, graph::kNoValue};
  if (const auto half_of = match.Beside(&product, BinaryKind::kMul, 0.5); half_of.has_value()) {
    const Node* inner = match.OnlyFor(*half_of);
    const auto* binary = inner == nullptr ? nullptr : std::get_if<graph::Binary>(&inner->op);
    if (binary == nullptr || binary->kind != BinaryKind::kMul) return std::nullopt;
    for (const size_t i : {size_t{0}, size_t{1}}) {
      if (IsGeluFactor(match, inner->inputs[1 - i], inner->inputs[i])) return Fused{gelu.op, inner->inputs[i]};
    }
    return std::nullopt;
  }
  for (const size_t i : {size_t{0}, size_t{1}}) {
    const ValueId a = product.inputs[i];
    const ValueId b = product.inputs[1 - i];
    if (const auto x = match.Beside(match.OnlyFor(a), BinaryKind::kMul, 0.5); x.has_value()) {
      if (IsGeluFactor(match, b, *x)) return Fused{gelu.op, *x};
      if (IsGeluFactor(match, *x, b)) return Fused{gelu.op, b};
    }
  }
  return std::nullopt;
}

}  // namespace

// What is no longer read falls to the elimination of dead nodes.
absl::StatusOr<bool> FuseActivations(graph::Graph& graph) {
  bool changed = false;
  const Matcher match(graph);
  std::vector<std::optional<Fused>> fused(graph.nodes().size());
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    const auto* binary = std::get_if<graph::Binary>(&node.op);
    if (binary == nullptr || binary->kind != BinaryKind::kMul) continue;
    fused[i] = MatchGate(match, node.inputs[0], node.inputs[1]);
    if (!fused[i].has_value()) fused[i] = MatchGate(match, node.inputs[1], node.inputs[0]);
    if (!fused[i].has_value()) fused[i] = MatchGelu(match, node);
  }
  for (size_t i = 0; i < fused.size(); ++i) {
    if (!fused[i].has_value()) continue;
    Node& node = graph.mutable_nodes()[i];
    node.op = fused[i]->op;
    node.inputs = {fused[i]->x};
    changed = true;
  }
  return changed;
}

}  // namespace stillwave::passes
