#include <utility>

#include "absl/status/status.h"
#include "server/base/status_macros.h"
#include "server/execution/channels_last.h"
#include "server/execution/lowering.h"
#include "server/execution/onednn/primitives.h"
#include "server/graph/shape_inference.h"

namespace stillwave::execution {
namespace {

using graph::ValueId;
using onednn::Element;
using onednn::Layout;

// The layout that an element-wise operator works in without a reorder of its input.
Layout LayoutOf(const PlanBuilder& plan, ValueId id, Element element) {
  return plan.IsAvailable(id, Layout::kRowMajor, element) ? Layout::kRowMajor : Layout::kChannelsLast;
}

absl::Status AddUnary(const graph::Node& node, onednn::Primitive primitive, Element element, PlanBuilder& plan) {
  const ValueId x = node.inputs[0];
  const Layout layout = LayoutOf(plan, x, element);
  ASSIGN_OR_RETURN(const int src, plan.Read(x, layout, element));
  const int dst = plan.Write(node.outputs[0], layout, /*overwritten=*/x, element);
  plan.AddPrimitive(node, std::move(primitive), {src, dst});
  return absl::OkStatus();
}

absl::Status AddBinary(const graph::Node& node, onednn::Primitive primitive, Element element, PlanBuilder& plan) {
  const ValueId a = node.inputs[0];
  const ValueId b = node.inputs[1];
  const bool both_row_major =
      plan.IsAvailable(a, Layout::kRowMajor, element) && plan.IsAvailable(b, Layout::kRowMajor, element);
  const Layout layout = both_row_major ? Layout::kRowMajor : Layout::kChannelsLast;
  ASSIGN_OR_RETURN(const int src_a, plan.Read(a, layout, element));
  ASSIGN_OR_RETURN(const int src_b, plan.Read(b, layout, element));
  const int dst = plan.Write(node.outputs[0], layout, /*overwritten=*/a, element);
  plan.AddPrimitive(node, std::move(primitive), {src_a, src_b, dst});
  return absl::OkStatus();
}

}  // namespace

absl::Status Lower(const graph::Node& node, const graph::Unary& op, PlanBuilder& plan) {
  const ValueId x = node.inputs[0];
  if (!onednn::HasUnary(op.kind) || plan.value(x).data_type != tensor::DataType::kFloat32) {
    return LowerToKernel(node, plan);
  }
  const int64_t count = plan.shape(x).num_elements();
  if (plan.ElementOf(x) == Element::kBf16) {
    absl::StatusOr<onednn::Primitive> primitive = onednn::MakeUnary(op, count, Element::kBf16);
    if (onednn::HasVectorized(primitive)) {
      return AddUnary(node, *std::move(primitive), Element::kBf16, plan);
    }
  }
  absl::StatusOr<onednn::Primitive> primitive = onednn::MakeUnary(op, count);
  // A Clip between bounds the wrong way round, for one.
  if (absl::IsUnimplemented(primitive.status())) return LowerToKernel(node, plan);
  RETURN_IF_ERROR(primitive.status());
  return AddUnary(node, *std::move(primitive), Element::kFp32, plan);
}

// Equal shapes in one layout go to oneDNN, in place where the first input is not read again; broadcasting goes to a
// kernel.
absl::Status Lower(const graph::Node& node, const graph::Binary& op, PlanBuilder& plan) {
  const ValueId a = node.inputs[0];
  const ValueId b = node.inputs[1];
  if (!onednn::HasBinary(op.kind) || plan.shape(a) != plan.shape(b) ||
      plan.value(a).data_type != tensor::DataType::kFloat32) {
    return LowerToKernel(node, plan);
  }
  const int64_t count = plan.shape(a).num_elements();
  if (plan.ElementOf(a) == Element::kBf16 && plan.ElementOf(b) == Element::kBf16) {
    absl::StatusOr<onednn::Primitive> primitive = onednn::MakeBinary(op, count, Element::kBf16);
    if (onednn::HasVectorized(primitive)) {
      return AddBinary(node, *std::move(primitive), Element::kBf16, plan);
    }
  }
  ASSIGN_OR_RETURN(onednn::Primitive primitive, onednn::MakeBinary(op, count));
  return AddBinary(node, std::move(primitive), Element::kFp32, plan);
}

// Over any axis of a value in either layout: {N,C,T} over C lies channels last as {N·T,C,1}.
absl::Status Lower(const graph::Node& node, const graph::Softmax& op, PlanBuilder& plan) {
  if (op.log) return LowerToKernel(node, plan);
  const ValueId x = node.inputs[0];
  const tensor::Shape& shape = plan.shape(x);
  graph::Softmax seen = op;
  tensor::Shape memory = shape;
  Layout layout = Layout::kRowMajor;
  if (!plan.IsAvailable(x, Layout::kRowMajor) && !op.flatten_to_2d) {
    ASSIGN_OR_RETURN(const int axis, graph::NormalizeAxis(op.axis, shape.rank()));
    seen.axis = ChannelsLastAxis(axis, shape.rank());
    memory = ChannelsLastShape(shape);
    layout = Layout::kChannelsLast;
  }
  ASSIGN_OR_RETURN(const graph::SoftmaxExtent extent, graph::ResolveSoftmax(seen, memory));
  ASSIGN_OR_RETURN(onednn::Primitive primitive, onednn::MakeSoftmax(extent.outer, extent.length, extent.inner));
  ASSIGN_OR_RETURN(const int src, plan.Read(x, layout));
  plan.AddPrimitive(node, std::move(primitive), {src, plan.Write(node.outputs[0], layout, /*overwritten=*/x)});
  return absl::OkStatus();
}

}  // namespace stillwave::execution
