#include <utility>

#include "server/base/status_macros.h"
#include "server/execution/lowering.h"
#include "server/execution/onednn/primitives.h"
#include "server/graph/shape_inference.h"

namespace stillwave::execution {
namespace {

using graph::ValueId;
using onednn::Layout;

// The layout that an element-wise operator works in without a reorder of its input.
Layout LayoutOf(const PlanBuilder& plan, ValueId id) {
  return plan.IsAvailable(id, Layout::kRowMajor) ? Layout::kRowMajor : Layout::kChannelsLast;
}

}  // namespace

absl::Status Lower(const graph::Node& node, const graph::Unary& op, PlanBuilder& plan) {
  if (op.kind == graph::UnaryKind::kLog) return LowerToKernel(node, plan);
  const ValueId x = node.inputs[0];
  const Layout layout = LayoutOf(plan, x);
  ASSIGN_OR_RETURN(onednn::Primitive primitive, onednn::MakeUnary(op, plan.shape(x).num_elements()));
  ASSIGN_OR_RETURN(const int src, plan.Read(x, layout));
  plan.AddPrimitive(node, std::move(primitive), {src, plan.Write(node.outputs[0], layout, /*overwritten=*/x)});
  return absl::OkStatus();
}

// Equal shapes in one layout go to oneDNN, in place where the first input is not read again; broadcasting goes to a
// kernel.
absl::Status Lower(const graph::Node& node, const graph::Binary& op, PlanBuilder& plan) {
  const ValueId a = node.inputs[0];
  const ValueId b = node.inputs[1];
  if (plan.shape(a) != plan.shape(b) || plan.value(a).data_type != tensor::DataType::kFloat32) {
    return LowerToKernel(node, plan);
  }
  const bool both_row_major = plan.IsAvailable(a, Layout::kRowMajor) && plan.IsAvailable(b, Layout::kRowMajor);
  const Layout layout = both_row_major ? Layout::kRowMajor : Layout::kChannelsLast;
  ASSIGN_OR_RETURN(onednn::Primitive primitive, onednn::MakeBinary(op.kind, plan.shape(a).num_elements()));
  ASSIGN_OR_RETURN(const int src_a, plan.Read(a, layout));
  ASSIGN_OR_RETURN(const int src_b, plan.Read(b, layout));
  plan.AddPrimitive(node, std::move(primitive), {src_a, src_b, plan.Write(node.outputs[0], layout, /*overwritten=*/a)});
  return absl::OkStatus();
}

absl::Status Lower(const graph::Node& node, const graph::Softmax& op, PlanBuilder& plan) {
  if (op.log) return LowerToKernel(node, plan);
  const ValueId x = node.inputs[0];
  ASSIGN_OR_RETURN(const graph::SoftmaxExtent extent, graph::ResolveSoftmax(op, plan.shape(x)));
  ASSIGN_OR_RETURN(onednn::Primitive primitive, onednn::MakeSoftmax(extent.outer, extent.length, extent.inner));
  ASSIGN_OR_RETURN(const int src, plan.Read(x, Layout::kRowMajor));
  plan.AddPrimitive(node, std::move(primitive),
                    {src, plan.Write(node.outputs[0], Layout::kRowMajor, /*overwritten=*/x)});
  return absl::OkStatus();
}

}  // namespace stillwave::execution
