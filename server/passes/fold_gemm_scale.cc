#include "server/passes/fold_gemm_scale.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"

namespace stillwave::passes {
namespace {

// Lets input `index` read factor·constant and sets the factor to 1. False where there is nothing to do.
absl::StatusOr<bool> FoldInto(graph::Graph& graph, graph::Node& node, size_t index, float& factor) {
  if (factor == 1 || index >= node.inputs.size() || node.inputs[index] == graph::kNoValue) return false;
  const graph::Value& value = graph.value(node.inputs[index]);
  if (value.constant == nullptr || value.data_type != tensor::DataType::kFloat32) return false;
  ASSIGN_OR_RETURN(tensor::Tensor scaled, tensor::Tensor::Create(value.data_type, value.shape));
  const auto from = value.constant->values<float>();
  const auto to = scaled.mutable_values<float>();
  for (size_t i = 0; i < to.size(); ++i) to[i] = factor * from[i];
  node.inputs[index] = graph.AddConstant(absl::StrCat(value.name, ".times.", factor), std::move(scaled));
  factor = 1;
  return true;
}

}  // namespace

absl::StatusOr<bool> FoldGemmScale(graph::Graph& graph) {
  bool changed = false;
  for (graph::Node& node : graph.mutable_nodes()) {
    auto* gemm = std::get_if<graph::Gemm>(&node.op);
    if (gemm == nullptr) continue;
    ASSIGN_OR_RETURN(const bool weights, FoldInto(graph, node, 1, gemm->alpha));
    bool bias = false;
    if (gemm->beta != 0) {
      ASSIGN_OR_RETURN(bias, FoldInto(graph, node, 2, gemm->beta));
    }
    changed = changed || weights || bias;
  }
  return changed;
}

}  // namespace stillwave::passes
