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
  const ValueId x = node.inputs[0];
  const tensor::Shape& shape = plan.shape(x);
  ASSIGN_OR_RETURN(const int axis, graph::NormalizeAxis(op.axis, shape.rank()));
  // {outer, length, inner}; before opset 13 all axes from `axis` on are one.
  int64_t outer = 1;
  for (int i = 0; i < axis; ++i) outer *= shape[i];
  int64_t length = shape[axis];
  int64_t inner = 1;
  for (int i = axis + 1; i < shape.rank(); ++i) (op.flatten_to_2d ? length : inner) *= shape[i];
  ASSIGN_OR_RETURN(onednn::Primitive primitive, onednn::MakeSoftmax(op.log, outer, length, inner));
  ASSIGN_OR_RETURN(const int src, plan.Read(x, Layout::kRowMajor));
  plan.AddPrimitive(node, std::move(primitive),
                    {src, plan.Write(node.outputs[0], Layout::kRowMajor, /*overwritten=*/x)});
  return absl::OkStatus();
}

}  // namespace stillwave::execution
