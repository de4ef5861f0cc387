#include "server/passes/widen_small_groups.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"

namespace stillwave::passes {
namespace {

using tensor::Shape;
using tensor::Tensor;

// Floats of the widest vectors: a group whose channels are multiples of it needs no help anywhere.
constexpr int64_t kVector = 16;

bool ShouldWiden(const graph::Conv& conv, const Tensor* weights) {
  if (conv.group <= 1 || conv.group > kMaxWidenedGroups || weights == nullptr) return false;
  if (weights->data_type() != tensor::DataType::kFloat32 || weights->shape().rank() < 3) return false;
  const int64_t inputs = weights->shape()[1];
  const int64_t outputs = weights->shape()[0] / conv.group;
  const bool is_depthwise = inputs == 1 && outputs == 1;
  return weights->shape()[0] % conv.group == 0 && !is_depthwise && (inputs % kVector != 0 || outputs % kVector != 0);
}

absl::StatusOr<Tensor> Widen(const Tensor& weights, int64_t group) {
  Shape shape = weights.shape();
  shape[1] *= group;
  ASSIGN_OR_RETURN(Tensor dense, Tensor::Create(tensor::DataType::kFloat32, shape));
  const auto from = weights.values<float>();
  const auto to = dense.mutable_values<float>();
  std::fill(to.begin(), to.end(), 0.0F);
  // Of one output channel: its group's input channels, each with its kernel.
  const size_t row = from.size() / static_cast<size_t>(shape[0]);
  const auto outputs_per_group = static_cast<size_t>(shape[0] / group);
  for (size_t m = 0; m < static_cast<size_t>(shape[0]); ++m) {
    const size_t start = (m * static_cast<size_t>(group) + m / outputs_per_group) * row;
    std::copy_n(from.begin() + static_cast<ptrdiff_t>(m * row), row, to.begin() + static_cast<ptrdiff_t>(start));
  }
  return dense;
}

}  // namespace

absl::StatusOr<bool> WidenSmallGroups(graph::Graph& graph) {
  bool changed = false;
  for (graph::Node& node : graph.mutable_nodes()) {
    auto* conv = std::get_if<graph::Conv>(&node.op);
    if (conv == nullptr) continue;
    const std::shared_ptr<const Tensor> weights = graph.value(node.inputs[1]).constant;
    if (!ShouldWiden(*conv, weights.get())) continue;
    ASSIGN_OR_RETURN(Tensor dense, Widen(*weights, conv->group));
    node.inputs[1] = graph.AddConstant(absl::StrCat(node.name, ".dense"), std::move(dense));
    conv->group = 1;
    changed = true;
  }
  return changed;
}

}  // namespace stillwave::passes
