// Operators that move nothing where a value lies channels last. A Transpose between N×C×T and N×T×C is the same memory
// under the other layout's name; Interleave is the same memory under another shape.
#include <vector>

#include "server/execution/channels_last.h"
#include "server/execution/lowering.h"
#include "server/graph/shape_inference.h"

namespace stillwave::execution {
namespace {

using graph::ValueId;
using onednn::Layout;

// {N,C,T} -> {N,T,C}: perm is the order in which the axes lie channels last.
bool MovesChannelsLast(const std::vector<int64_t>& perm) {
  for (size_t axis = 0; axis < perm.size(); ++axis) {
    if (ChannelsLastAxis(static_cast<int>(perm[axis]), static_cast<int>(perm.size())) != static_cast<int>(axis)) {
      return false;
    }
  }
  return true;
}

// {N,T,C} -> {N,C,T}: the inverse.
bool MovesChannelsFirst(const std::vector<int64_t>& perm) {
  for (size_t axis = 0; axis < perm.size(); ++axis) {
    if (ChannelsLastAxis(static_cast<int>(axis), static_cast<int>(perm.size())) != perm[axis]) return false;
  }
  return true;
}

}  // namespace

absl::Status Lower(const graph::Node& node, const graph::Transpose& op, PlanBuilder& plan) {
  const ValueId x = node.inputs[0];
  const ValueId y = node.outputs[0];
  const graph::Value& value = plan.value(x);
  const int rank = value.shape.rank();
  if (value.constant == nullptr && value.data_type == tensor::DataType::kFloat32 && rank >= 3 && rank <= 5) {
    const std::vector<int64_t> perm = graph::TransposePerm(op, rank);
    if (MovesChannelsLast(perm) && plan.LiesIn(x, Layout::kChannelsLast)) {
      plan.AliasLayout(y, Layout::kRowMajor, x, Layout::kChannelsLast);
      return absl::OkStatus();
    }
    if (MovesChannelsFirst(perm) && plan.LiesIn(x, Layout::kRowMajor)) {
      plan.AliasLayout(y, Layout::kChannelsLast, x, Layout::kRowMajor);
      return absl::OkStatus();
    }
  }
  return LowerToKernel(node, plan);
}

// {N,T,s*C} is {N,T*s,C}.
absl::Status Lower(const graph::Node& node, const graph::Interleave&, PlanBuilder& plan) {
  const ValueId x = node.inputs[0];
  if (!plan.LiesIn(x, Layout::kChannelsLast) || plan.value(x).constant != nullptr) return LowerToKernel(node, plan);
  plan.AliasLayout(node.outputs[0], Layout::kChannelsLast, x, Layout::kChannelsLast);
  return absl::OkStatus();
}

}  // namespace stillwave::execution
