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

}  // namespace

absl::Status FoldNode(graph::Graph& graph, const graph::Node& node) {
  graph::Value& output = graph.mutable_value(node.outputs[0]);
  absl::StatusOr<tensor::Tensor> folded = tensor::Tensor::Create(output.data_type, output.shape);
  if (!folded.ok() || static_cast<int64_t>(folded->byte_size()) > kMaxFoldedBytes) {
    return absl::InvalidArgumentError(absl::StrCat(graph::Describe(node), ": the constant ", output.shape.ToString(),
                                                   " exceeds the limit of ", kMaxFoldedBytes, " bytes"));
  }
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
  bool changed = false;
  for (graph::Node& node : graph.mutable_nodes()) {
    if (!AllInputsConstant(graph, node) || !kernels::HasKernel(node.op)) {
      kept.push_back(std::move(node));
      continue;
    }
    ASSIGN_OR_RETURN(const graph::TensorType type, graph::InferNode(graph, node));
    graph::Value& output = graph.mutable_value(node.outputs[0]);
    output.data_type = type.data_type;
    output.shape = type.shape;
    RETURN_IF_ERROR(FoldNode(graph, node));
    changed = true;
  }
  graph.mutable_nodes() = std::move(kept);
  return changed;
}

}  // namespace stillwave::passes
