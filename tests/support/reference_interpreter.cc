#include "tests/support/reference_interpreter.h"

#include <cstddef>
#include <optional>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "tests/support/reference_ops.h"

namespace stillwave::test_support {
namespace {

// How many leading inputs each operator cannot do without.
size_t RequiredInputs(const graph::Op& op) {
  if (std::holds_alternative<graph::BatchNormalization>(op)) return 5;
  if (std::holds_alternative<graph::Slice>(op) || std::holds_alternative<graph::Range>(op) ||
      std::holds_alternative<graph::Where>(op) || std::holds_alternative<graph::InstanceNormalization>(op) ||
      std::holds_alternative<graph::GroupNormalization>(op)) {
    return 3;
  }
  if (std::holds_alternative<graph::Conv>(op) || std::holds_alternative<graph::Gemm>(op) ||
      std::holds_alternative<graph::MatMul>(op) || std::holds_alternative<graph::Binary>(op) ||
      std::holds_alternative<graph::Reshape>(op) || std::holds_alternative<graph::Unsqueeze>(op) ||
      std::holds_alternative<graph::ConvTranspose>(op) || std::holds_alternative<graph::Tile>(op) ||
      std::holds_alternative<graph::Pad>(op) || std::holds_alternative<graph::Gather>(op) ||
      std::holds_alternative<graph::Expand>(op) || std::holds_alternative<graph::LayerNormalization>(op) ||
      std::holds_alternative<graph::CumSum>(op) || std::holds_alternative<graph::CastLike>(op)) {
    return 2;
  }
  return 1;
}

absl::StatusOr<RefTensor> InterpretNode(const graph::Node& node, const std::vector<std::optional<RefTensor>>& values) {
  std::vector<const RefTensor*> inputs;
  for (const graph::ValueId id : node.inputs) {
    if (id == graph::kNoValue) {
      inputs.push_back(nullptr);
    } else if (values[static_cast<size_t>(id)].has_value()) {
      inputs.push_back(&*values[static_cast<size_t>(id)]);
    } else {
      return absl::InvalidArgumentError(absl::StrCat("input value ", id, " is read before it is produced"));
    }
  }
  if (node.outputs.size() != 1) {
    return absl::InvalidArgumentError(absl::StrCat("expected one output; there are ", node.outputs.size()));
  }
  return InterpretOp(node.op, inputs);
}

}  // namespace

absl::StatusOr<RefTensor> InterpretOp(const graph::Op& op, absl::Span<const RefTensor* const> inputs) {
  for (size_t i = 0; i < RequiredInputs(op); ++i) {
    if (i >= inputs.size() || inputs[i] == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("input ", i, " is left out"));
    }
  }
  return std::visit([&](const auto& attributes) { return Evaluate(attributes, inputs); }, op);
}

absl::StatusOr<std::vector<RefTensor>> Interpret(const graph::Graph& graph, std::vector<RefTensor> inputs) {
  if (inputs.size() != graph.inputs().size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the graph has ", graph.inputs().size(), " inputs; got ", inputs.size()));
  }
  std::vector<std::optional<RefTensor>> values(graph.values().size());
  for (size_t i = 0; i < values.size(); ++i) {
    const graph::Value& value = graph.values()[i];
    if (value.constant != nullptr) values[i] = ToRefTensor(value.constant->view());
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    values[static_cast<size_t>(graph.inputs()[i])] = std::move(inputs[i]);
  }
  for (const graph::Node& node : graph.nodes()) {
    absl::StatusOr<RefTensor> result = InterpretNode(node, values);
    if (!result.ok()) return base::Annotate(result.status(), node.name);
    values[static_cast<size_t>(node.outputs[0])] = *std::move(result);
  }
  std::vector<RefTensor> outputs;
  for (const graph::ValueId id : graph.outputs()) {
    if (!values[static_cast<size_t>(id)].has_value()) {
      return absl::InvalidArgumentError(absl::StrCat("output ", graph.value(id).name, " is never produced"));
    }
    outputs.push_back(*values[static_cast<size_t>(id)]);
  }
  return outputs;
}

}  // namespace stillwave::test_support
