#include "server/graph/graph_verifier.h"

#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/graph/graph_text.h"

namespace stillwave::graph {
namespace {

// How many inputs an operator takes; the first `required` may not be left out.
struct Arity {
  size_t required;
  size_t maximum;
};

Arity InputArity(const Op& op) {
  struct Visitor {
    Arity operator()(const Conv&) const { return {2, 3}; }
    Arity operator()(const BatchNormalization&) const { return {5, 5}; }
    Arity operator()(const Gemm&) const { return {2, 3}; }
    Arity operator()(const MatMul&) const { return {2, 2}; }
    Arity operator()(const Binary&) const { return {2, 2}; }
    Arity operator()(const Reduce&) const { return {1, 2}; }
    Arity operator()(const Concat&) const { return {1, SIZE_MAX}; }
    Arity operator()(const Reshape&) const { return {2, 2}; }
    Arity operator()(const Squeeze&) const { return {1, 2}; }
    Arity operator()(const Unsqueeze&) const { return {2, 2}; }
    Arity operator()(const Pad&) const { return {2, 4}; }
    Arity operator()(const Slice&) const { return {3, 5}; }
    Arity operator()(const Gather&) const { return {2, 2}; }
    Arity operator()(const Expand&) const { return {2, 2}; }
    Arity operator()(const ConvTranspose&) const { return {2, 3}; }
    Arity operator()(const Where&) const { return {3, 3}; }
    Arity operator()(const InstanceNormalization&) const { return {3, 3}; }
    Arity operator()(const LayerNormalization&) const { return {2, 3}; }
    Arity operator()(const GroupNormalization&) const { return {3, 3}; }
    Arity operator()(const CumSum&) const { return {2, 2}; }
    Arity operator()(const SplitPart&) const { return {1, 2}; }
    Arity operator()(const Tile&) const { return {2, 2}; }
    Arity operator()(const Resize&) const { return {1, 4}; }
    Arity operator()(const CastLike&) const { return {2, 2}; }
    Arity operator()(const Range&) const { return {3, 3}; }
    Arity operator()(const MaxPoolIndices&) const { return {1, 1}; }
    Arity operator()(const Lrn&) const { return {1, 1}; }
    Arity operator()(const ArgReduce&) const { return {1, 1}; }
    Arity operator()(const DepthToSpace&) const { return {1, 1}; }
    Arity operator()(const SpaceToDepth&) const { return {1, 1}; }
    Arity operator()(const Interleave&) const { return {1, 1}; }
    Arity operator()(const SizeOf&) const { return {1, 1}; }
    Arity operator()(const Pool&) const { return {1, 1}; }
    Arity operator()(const GlobalPool&) const { return {1, 1}; }
    Arity operator()(const Unary&) const { return {1, 1}; }
    Arity operator()(const Softmax&) const { return {1, 1}; }
    Arity operator()(const Flatten&) const { return {1, 1}; }
    Arity operator()(const Transpose&) const { return {1, 1}; }
    Arity operator()(const Cast&) const { return {1, 1}; }
    Arity operator()(const ShapeOf&) const { return {1, 1}; }
    Arity operator()(const ConstantOfShape&) const { return {1, 1}; }
    Arity operator()(const Identity&) const { return {1, 1}; }
    Arity operator()(const Dropout&) const { return {1, 1}; }
  };
  return std::visit(Visitor{}, op);
}

absl::Status VerifyArity(const Node& node) {
  const Arity arity = InputArity(node.op);
  if (node.inputs.size() < arity.required || node.inputs.size() > arity.maximum) {
    return absl::InvalidArgumentError(absl::StrCat(Describe(node), " takes ", arity.required, " to ", arity.maximum,
                                                   " inputs; has ", node.inputs.size()));
  }
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const bool may_be_absent = i >= arity.required && !std::holds_alternative<Concat>(node.op);
    if (node.inputs[i] == kNoValue && !may_be_absent) {
      return absl::InvalidArgumentError(absl::StrCat(Describe(node), ": input ", i, " is required and left out"));
    }
  }
  if (node.outputs.size() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(Describe(node), " gives one output; has ", node.outputs.size()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status VerifyGraph(const Graph& graph) {
  std::vector<bool> available(graph.values().size(), false);
  const auto provide = [&](ValueId id, absl::string_view source) -> absl::Status {
    if (available[static_cast<size_t>(id)]) {
      return absl::InvalidArgumentError(
          absl::StrCat(source, " gives '", graph.value(id).name, "', which has a source already"));
    }
    available[static_cast<size_t>(id)] = true;
    return absl::OkStatus();
  };
  for (size_t i = 0; i < graph.values().size(); ++i) {
    if (graph.values()[i].constant != nullptr) available[i] = true;
  }
  for (const ValueId id : graph.inputs()) RETURN_IF_ERROR(provide(id, "graph input"));
  for (const Node& node : graph.nodes()) {
    RETURN_IF_ERROR(VerifyArity(node));
    for (const ValueId id : node.inputs) {
      if (id != kNoValue && !available[static_cast<size_t>(id)]) {
        return absl::InvalidArgumentError(
            absl::StrCat(Describe(node), " reads '", graph.value(id).name, "' before anything produces it"));
      }
    }
    for (const ValueId id : node.outputs) RETURN_IF_ERROR(provide(id, Describe(node)));
  }
  if (graph.outputs().empty()) return absl::InvalidArgumentError("the graph has no outputs");
  for (const ValueId id : graph.outputs()) {
    if (!available[static_cast<size_t>(id)]) {
      return absl::InvalidArgumentError(absl::StrCat("nothing produces the graph output '", graph.value(id).name, "'"));
    }
  }
  return absl::OkStatus();
}

}  // namespace stillwave::graph
