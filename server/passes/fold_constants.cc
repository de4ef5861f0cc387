#include "server/passes/fold_constants.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/graph/graph_text.h"
#include "server/graph/shape_inference.h"
#include "server/kernels/kernel.h"

namespace stillwave::passes {
namespace {

bool AllInputsConstant(const graph::Graph& graph, const graph::Node& node) {
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&](graph::ValueId id) { return id == graph::kNoValue || graph.value(id).constant != nullptr; });
}

constexpr int64_t kBudgetBytes = int64_t{256} << 20;
// A weight may be cast, transposed and reshaped; each reads and writes it.
constexpr int64_t kBudgetPerConstantByte = 8;

int64_t Bytes(const graph::Value& value) {
  return value.shape.num_elements() * static_cast<int64_t>(tensor::SizeOf(value.data_type));
}

absl::Status CheckCost(const graph::Graph& graph, const graph::Node& node, FoldBudget& budget) {
  const graph::Value& output = graph.value(node.outputs[0]);
  const int64_t bytes = Bytes(output);
  int64_t largest = kMaxFoldedBytes;
  int64_t cost = bytes;
  for (const graph::ValueId id : node.inputs) {
    if (id == graph::kNoValue || graph.value(id).constant == nullptr) continue;
    largest = std::max(largest, Bytes(graph.value(id)));
    cost += Bytes(graph.value(id));
  }
  if (bytes > largest) {
    return absl::InvalidArgumentError(absl::StrCat(graph::Describe(node), ": the constant ", output.shape.ToString(),
                                                   " exceeds the limit of ", largest, " bytes"));
  }
  if (budget.Spend(cost)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(graph::Describe(node), ": computing the network's constants would move more than ", kBudgetBytes,
                   " bytes beside ", kBudgetPerConstantByte, " times those of its weights"));
}

}  // namespace

FoldBudget::FoldBudget(const graph::Graph& graph) : left_(kBudgetBytes) {
  for (const graph::Value& value : graph.values()) {
    if (value.constant != nullptr) left_ += kBudgetPerConstantByte * Bytes(value);
  }
}

absl::Status FoldNode(graph::Graph& graph, const graph::Node& node, FoldBudget& budget) {
  RETURN_IF_ERROR(CheckCost(graph, node, budget));
  graph::Value& output = graph.mutable_value(node.outputs[0]);
  absl::StatusOr<tensor::Tensor> folded = tensor::Tensor::Create(output.data_type, output.shape);
  if (!folded.ok()) return base::Annotate(folded.status(), graph::Describe(node));
  std::vector<graph::InputType> types;
  std::vector<const void*> data;
  for (const graph::ValueId id : node.inputs) {
    if (id == graph::kNoValue) {
      types.push_back({.present = false});
      data.push_back(nullptr);
      continue;
    }
    const graph::Value& value = graph.value(id);
    types.push_back({true, value.data_type, value.shape, value.constant.get()});
    data.push_back(value.constant == nullptr ? nullptr : value.constant->data());
  }
  const absl::StatusOr<kernels::Kernel> kernel = kernels::MakeKernel(node.op, types, {output.data_type, output.shape});
  if (!kernel.ok()) return base::Annotate(kernel.status(), graph::Describe(node));
  (*kernel)(data, folded->mutable_data());
  output.constant = std::make_shared<const tensor::Tensor>(*std::move(folded));
  return absl::OkStatus();
}

absl::StatusOr<bool> FoldConstants(graph::Graph& graph) {
  std::vector<graph::Node> kept;
  FoldBudget budget(graph);
  bool changed = false;
  for (graph::Node& node : graph.mutable_nodes()) {
    if (!AllInputsConstant(graph, node)) {
      kept.push_back(std::move(node));
      continue;
    }
    ASSIGN_OR_RETURN(const graph::TensorType type, graph::InferNode(graph, node));
    graph::Value& output = graph.mutable_value(node.outputs[0]);
    output.data_type = type.data_type;
    output.shape = type.shape;
    RETURN_IF_ERROR(FoldNode(graph, node, budget));
    changed = true;
  }
  graph.mutable_nodes() = std::move(kept);
  return changed;
}

}  // namespace stillwave::passes
