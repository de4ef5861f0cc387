// Spatial operators, all in channels last: {N,C,T} lies as N×T×C.
#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "server/base/status_macros.h"
#include "server/execution/channels_last.h"
#include "server/execution/lowering.h"
#include "server/execution/onednn/primitives.h"
#include "server/graph/shape_inference.h"
#include "server/kernels/max_pool.h"

namespace stillwave::execution {
namespace {

using graph::ValueId;
using onednn::Layout;

// What oneDNN's primitives for images take; the rest goes to kernels.
bool IsImage(const tensor::Shape& shape, int minimum_rank) { return shape.rank() >= minimum_rank && shape.rank() <= 5; }

bool IsConstant(const PlanBuilder& plan, ValueId id) { return plan.value(id).constant != nullptr; }

bool IsPadded(const graph::ResolvedWindow& window) {
  const auto is_positive = [](int64_t pad) { return pad > 0; };
  return std::any_of(window.pads_begin.begin(), window.pads_begin.end(), is_positive) ||
         std::any_of(window.pads_end.begin(), window.pads_end.end(), is_positive);
}

graph::ResolvedWindow Unpadded(graph::ResolvedWindow window) {
  std::fill(window.pads_begin.begin(), window.pads_begin.end(), 0);
  std::fill(window.pads_end.begin(), window.pads_end.end(), 0);
  return window;
}

tensor::Shape BorderedShape(tensor::Shape shape, const graph::ResolvedWindow& window) {
  for (size_t i = 0; i < window.output.size(); ++i) {
    shape[static_cast<int>(i) + 2] += window.pads_begin[i] + window.pads_end[i];
  }
  return shape;
}

// A copy of `src` (channels last) with zeros around it. oneDNN's vectorised kernels take only paddings that fit into
// their blocks of output columns; wider ones (long or dilated kernels) fall to a matrix product over a gathered copy,
// which takes two to forty times as long as this copy and an unpadded convolution.
absl::StatusOr<int> AddBorders(const graph::Node& node, int src, const tensor::Shape& bordered,
                               const graph::ResolvedWindow& window, PlanBuilder& plan) {
  const tensor::Shape& x = plan.shape(node.inputs[0]);
  std::vector<int64_t> pads(2 * static_cast<size_t>(x.rank()), 0);
  for (size_t i = 0; i < window.output.size(); ++i) {
    pads[i + 1] = window.pads_begin[i];
    pads[i + 1 + static_cast<size_t>(x.rank())] = window.pads_end[i];
  }
  const auto amounts = tensor::Tensor::FromValues<int64_t>({static_cast<int64_t>(pads.size())}, pads);
  const graph::InputType inputs[] = {{true, tensor::DataType::kFloat32, ChannelsLastShape(x), nullptr},
                                     {true, tensor::DataType::kInt64, amounts.shape(), &amounts}};
  ASSIGN_OR_RETURN(
      kernels::Kernel kernel,
      kernels::MakeKernel(graph::Pad{}, inputs, {tensor::DataType::kFloat32, ChannelsLastShape(bordered)}));
  const int borders = plan.AddScratch(static_cast<size_t>(bordered.num_elements()) * sizeof(float));
  StepInfo& info = plan.AddKernel(node, std::move(kernel), {src, kNoBuffer}, borders);
  info.op = "Pad";
  info.attributes = "zero borders";
  info.output_shape = bordered.ToString();
  return borders;
}

}  // namespace

// {N,C,T} * {M,C/group,K} (+ {M}) -> {N,M,T'}
absl::Status Lower(const graph::Node& node, const graph::Conv& op, PlanBuilder& plan) {
  const ValueId x = node.inputs[0];
  const ValueId y = node.outputs[0];
  if (!IsImage(plan.shape(x), 3) || !IsConstant(plan, node.inputs[1])) return LowerToKernel(node, plan);
  const auto& weights = plan.value(node.inputs[1]).constant;
  const tensor::Shape& shape = plan.shape(node.inputs[1]);  // not the tensor's: it may be a stand-in
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != graph::kNoValue;
  ASSIGN_OR_RETURN(graph::ResolvedWindow window, graph::ResolveWindow(op.window, /*ceil_mode=*/false, plan.shape(x)));
  if (SuitsWinograd(op, window, plan.shape(x), shape)) return LowerWinograd(node, op, window, plan);
  ASSIGN_OR_RETURN(onednn::Primitive primitive,
                   onednn::MakeConvolution(op, window, plan.shape(x), shape, has_bias, plan.shape(y)));
  ASSIGN_OR_RETURN(int src, plan.Read(x, Layout::kChannelsLast));
  if (onednn::IsFallback(primitive) && IsPadded(window)) {
    const tensor::Shape bordered = BorderedShape(plan.shape(x), window);
    ASSIGN_OR_RETURN(onednn::Primitive unpadded,
                     onednn::MakeConvolution(op, Unpadded(window), bordered, shape, has_bias, plan.shape(y)));
    if (!onednn::IsFallback(unpadded)) {
      primitive = std::move(unpadded);
      ASSIGN_OR_RETURN(src, AddBorders(node, src, bordered, window, plan));
    }
  }
  ASSIGN_OR_RETURN(const int packed, plan.ReadWeights(weights, onednn::ConvolutionWeightsDesc(shape, op.group),
                                                      primitive.arguments[1].desc));
  std::vector<int> buffers = {src, packed};
  if (has_bias) {
    ASSIGN_OR_RETURN(const int bias, plan.Read(node.inputs[2], Layout::kRowMajor));
    buffers.push_back(bias);
  }
  buffers.push_back(plan.Write(y, Layout::kChannelsLast));
  plan.AddPrimitive(node, std::move(primitive), std::move(buffers));
  return absl::OkStatus();
}

absl::Status Lower(const graph::Node& node, const graph::Pool& op, PlanBuilder& plan) {
  const ValueId x = node.inputs[0];
  const ValueId y = node.outputs[0];
  if (!IsImage(plan.shape(x), 3) || op.kind == graph::PoolKind::kLp) return LowerToKernel(node, plan);
  ASSIGN_OR_RETURN(const graph::ResolvedWindow window, graph::ResolveWindow(op.window, op.ceil_mode, plan.shape(x)));
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
  ASSIGN_OR_RETURN(const int src, plan.Read(x, Layout::kChannelsLast));
  plan.AddPrimitive(node, *std::move(primitive), {src, plan.Write(y, Layout::kChannelsLast)});
  return absl::OkStatus();
}

// {N,C,T} -> {N,C,1}
absl::Status Lower(const graph::Node& node, const graph::GlobalPool& op, PlanBuilder& plan) {
  const ValueId x = node.inputs[0];
  if (!IsImage(plan.shape(x), 3) || op.kind == graph::PoolKind::kLp) return LowerToKernel(node, plan);
  ASSIGN_OR_RETURN(onednn::Primitive primitive, onednn::MakeGlobalPooling(op.kind, plan.shape(x)));
  ASSIGN_OR_RETURN(const int src, plan.Read(x, Layout::kChannelsLast));
  plan.AddPrimitive(node, std::move(primitive), {src, plan.Write(node.outputs[0], Layout::kChannelsLast)});
  return absl::OkStatus();
}

}  // namespace stillwave::execution
