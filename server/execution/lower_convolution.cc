// Spatial operators, all in channels last: {N,C,T} lies as N×T×C.
#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "server/base/status_macros.h"
#include "server/execution/borders.h"
#include "server/execution/lowering.h"
#include "server/execution/onednn/primitives.h"
#include "server/graph/shape_inference.h"
#include "server/kernels/max_pool.h"

namespace stillwave::execution {
namespace {

using graph::ValueId;
using onednn::Element;
using onednn::Layout;

// What oneDNN's primitives for images take; the rest goes to kernels.
bool IsImage(const tensor::Shape& shape, int minimum_rank) { return shape.rank() >= minimum_rank && shape.rank() <= 5; }

bool IsConstant(const PlanBuilder& plan, ValueId id) { return plan.value(id).constant != nullptr; }

graph::ResolvedWindow Unpadded(graph::ResolvedWindow window) {
  std::fill(window.pads_begin.begin(), window.pads_begin.end(), 0);
  std::fill(window.pads_end.begin(), window.pads_end.end(), 0);
  return window;
}

// The convolution of one node, before an element type is chosen.
struct Convolution {
  const graph::Node& node;
  const graph::Conv& op;
  const graph::ResolvedWindow& window;
  const tensor::Shape& weights;  // not the tensor's shape: that may be a stand-in
  bool has_bias;
};

// Where oneDNN has the form: a primitive, over the input as it is or with borders around it. oneDNN's vectorised
// kernels take only paddings that fit into their blocks of output columns; wider ones (long or dilated kernels) fall to
// a matrix product over a gathered copy, which takes two to forty times as long as copying once and an unpadded
// convolution.
struct ConvolutionForm {
  onednn::Primitive primitive;
  bool bordered = false;
};

absl::StatusOr<ConvolutionForm> ChooseForm(const Convolution& conv, onednn::Elements elements,
                                           const PlanBuilder& plan) {
  const tensor::Shape& src = plan.shape(conv.node.inputs[0]);
  const tensor::Shape& dst = plan.shape(conv.node.outputs[0]);
  ASSIGN_OR_RETURN(onednn::Primitive primitive,
                   onednn::MakeConvolution(conv.op, conv.window, src, conv.weights, conv.has_bias, dst, elements));
  if (!onednn::IsFallback(primitive) || !IsPadded(conv.window)) return ConvolutionForm{std::move(primitive)};
  ASSIGN_OR_RETURN(onednn::Primitive unpadded,
                   onednn::MakeConvolution(conv.op, Unpadded(conv.window), BorderedShape(src, conv.window),
                                           conv.weights, conv.has_bias, dst, elements));
  if (onednn::IsFallback(unpadded)) return ConvolutionForm{std::move(primitive)};
  return ConvolutionForm{std::move(unpadded), /*bordered=*/true};
}

absl::Status AddPooling(const graph::Node& node, onednn::Primitive primitive, Element element, PlanBuilder& plan) {
  ASSIGN_OR_RETURN(const int src, plan.Read(node.inputs[0], Layout::kChannelsLast, element));
  const int dst = plan.Write(node.outputs[0], Layout::kChannelsLast, graph::kNoValue, element);
  plan.AddPrimitive(node, std::move(primitive), {src, dst});
  return absl::OkStatus();
}

absl::Status AddConvolution(const Convolution& conv, ConvolutionForm form, onednn::Elements elements,
                            PlanBuilder& plan) {
  const graph::Node& node = conv.node;
  ASSIGN_OR_RETURN(int src, plan.Read(node.inputs[0], Layout::kChannelsLast, elements.in));
  if (form.bordered) {
    ASSIGN_OR_RETURN(src, AddBorders(node, src, conv.window, elements.in, plan));
  }
  ASSIGN_OR_RETURN(const int packed, plan.ReadWeights(plan.value(node.inputs[1]).constant,
                                                      onednn::ConvolutionWeightsDesc(conv.weights, conv.op.group),
                                                      form.primitive.arguments[1].desc));
  std::vector<int> buffers = {src, packed};
  if (conv.has_bias) {
    ASSIGN_OR_RETURN(const int bias, plan.Read(node.inputs[2], Layout::kRowMajor));
    buffers.push_back(bias);
  }
  buffers.push_back(plan.Write(node.outputs[0], Layout::kChannelsLast, graph::kNoValue, elements.out));
  plan.AddPrimitive(node, std::move(form.primitive), std::move(buffers));
  return absl::OkStatus();
}

}  // namespace

// {N,C,T} * {M,C/group,K} (+ {M}) -> {N,M,T'}
absl::Status Lower(const graph::Node& node, const graph::Conv& op, PlanBuilder& plan) {
  const ValueId x = node.inputs[0];
  if (!IsImage(plan.shape(x), 3) || !IsConstant(plan, node.inputs[1])) return LowerToKernel(node, plan);
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != graph::kNoValue;
  ASSIGN_OR_RETURN(graph::ResolvedWindow window, graph::ResolveWindow(op.window, /*ceil_mode=*/false, plan.shape(x)));
  const Convolution conv{node, op, window, plan.shape(node.inputs[1]), has_bias};
  if (plan.element() == Element::kBf16) {
    const onednn::Elements elements{Element::kBf16, plan.ElementToWrite(node.outputs[0])};
    absl::StatusOr<ConvolutionForm> form = ChooseForm(conv, elements, plan);
    if (onednn::HasVectorized(form)) return AddConvolution(conv, *std::move(form), elements, plan);
  }
  if (SuitsWinograd(op, window, plan.shape(x), conv.weights)) return LowerWinograd(node, op, window, plan);
  if (SuitsDirect(op, window, plan.shape(x))) return LowerDirect(node, op, window, plan);
  ASSIGN_OR_RETURN(ConvolutionForm form, ChooseForm(conv, {}, plan));
  return AddConvolution(conv, std::move(form), {}, plan);
}

absl::Status Lower(const graph::Node& node, const graph::Pool& op, PlanBuilder& plan) {
  const ValueId x = node.inputs[0];
  const ValueId y = node.outputs[0];
  if (!IsImage(plan.shape(x), 3) || op.kind == graph::PoolKind::kLp) return LowerToKernel(node, plan);
  ASSIGN_OR_RETURN(const graph::ResolvedWindow window, graph::ResolveWindow(op.window, op.ceil_mode, plan.shape(x)));
  if (plan.ElementOf(x) == Element::kBf16) {
    absl::StatusOr<onednn::Primitive> primitive =
        onednn::MakePooling(op, window, plan.shape(x), plan.shape(y), Element::kBf16);
    if (onednn::HasVectorized(primitive)) {
      return AddPooling(node, *std::move(primitive), Element::kBf16, plan);
    }
  }
  if (op.kind == graph::PoolKind::kMax && plan.shape(x).rank() <= 4) {
    // Whole rows of channels at a time: two to six times as fast as oneDNN's.
    ASSIGN_OR_RETURN(const int src, plan.Read(x, Layout::kChannelsLast));
    kernels::Kernel kernel = kernels::MakeMaxPoolChannelsLast(op.window, window, plan.shape(x));
    plan.AddKernel(node, std::move(kernel), {src}, plan.Write(y, Layout::kChannelsLast));
    return absl::OkStatus();
  }
  absl::StatusOr<onednn::Primitive> primitive = onednn::MakePooling(op, window, plan.shape(x), plan.shape(y));
  if (absl::IsUnimplemented(primitive.status())) return LowerToKernel(node, plan);
  RETURN_IF_ERROR(primitive.status());
  return AddPooling(node, *std::move(primitive), Element::kFp32, plan);
}

// {N,C,T} -> {N,C,1}
absl::Status Lower(const graph::Node& node, const graph::GlobalPool& op, PlanBuilder& plan) {
  const ValueId x = node.inputs[0];
  if (!IsImage(plan.shape(x), 3) || op.kind == graph::PoolKind::kLp) return LowerToKernel(node, plan);
  if (plan.ElementOf(x) == Element::kBf16) {
    absl::StatusOr<onednn::Primitive> primitive = onednn::MakeGlobalPooling(op.kind, plan.shape(x), Element::kBf16);
    if (onednn::HasVectorized(primitive)) {
      return AddPooling(node, *std::move(primitive), Element::kBf16, plan);
    }
  }
  ASSIGN_OR_RETURN(onednn::Primitive primitive, onednn::MakeGlobalPooling(op.kind, plan.shape(x)));
  return AddPooling(node, std::move(primitive), Element::kFp32, plan);
}

}  // namespace stillwave::execution
