// Spatial operators, all in channels last: {N,C,T} lies as N×T×C.
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/execution/lowering.h"
#include "server/execution/onednn/primitives.h"
#include "server/graph/shape_inference.h"

namespace stillwave::execution {
namespace {

using graph::ValueId;
using onednn::Layout;

absl::Status RequireRank(const tensor::Shape& shape, int minimum) {
  if (shape.rank() >= minimum && shape.rank() <= 5) return absl::OkStatus();
  return absl::UnimplementedError(absl::StrCat("works on rank ", minimum, " to 5; the input is ", shape.ToString()));
}

absl::StatusOr<std::shared_ptr<const tensor::Tensor>> RequireConstant(const PlanBuilder& plan, ValueId id,
                                                                      absl::string_view what) {
  const graph::Value& value = plan.value(id);
  if (value.constant != nullptr) return value.constant;
  return absl::UnimplementedError(absl::StrCat(what, " '", value.name, "' must be a constant; it is computed"));
}

}  // namespace

// {N,C,T} * {M,C/group,K} (+ {M}) -> {N,M,T'}
absl::Status Lower(const graph::Node& node, const graph::Conv& op, PlanBuilder& plan) {
  const ValueId x = node.inputs[0];
  const ValueId y = node.outputs[0];
  RETURN_IF_ERROR(RequireRank(plan.shape(x), 3));
  ASSIGN_OR_RETURN(const auto weights, RequireConstant(plan, node.inputs[1], "weights"));
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != graph::kNoValue;
  ASSIGN_OR_RETURN(const graph::ResolvedWindow window,
                   graph::ResolveWindow(op.window, /*ceil_mode=*/false, plan.shape(x)));
  ASSIGN_OR_RETURN(onednn::Primitive primitive,
                   onednn::MakeConvolution(op, window, plan.shape(x), weights->shape(), has_bias, plan.shape(y)));
  ASSIGN_OR_RETURN(const int src, plan.Read(x, Layout::kChannelsLast));
  ASSIGN_OR_RETURN(const int packed,
                   plan.ReadWeights(weights, onednn::ConvolutionWeightsDesc(weights->shape(), op.group),
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

// {N,C,…}, each channel normalised by its stored statistics; in place where nobody else reads the input.
absl::Status Lower(const graph::Node& node, const graph::BatchNormalization& op, PlanBuilder& plan) {
  const ValueId x = node.inputs[0];
  const ValueId y = node.outputs[0];
  RETURN_IF_ERROR(RequireRank(plan.shape(x), 2));
  ASSIGN_OR_RETURN(onednn::Primitive primitive,
                   onednn::MakeBatchNormalization(op, plan.shape(x), Layout::kChannelsLast));
  ASSIGN_OR_RETURN(const int src, plan.Read(x, Layout::kChannelsLast));
  std::vector<int> buffers = {src};
  // ONNX: scale, bias, mean, variance. oneDNN's arguments here: mean, variance, scale, shift.
  for (const size_t input : {3, 4, 1, 2}) {
    RETURN_IF_ERROR(RequireConstant(plan, node.inputs[input], "parameter").status());
    ASSIGN_OR_RETURN(const int parameter, plan.Read(node.inputs[input], Layout::kRowMajor));
    buffers.push_back(parameter);
  }
  buffers.push_back(plan.Write(y, Layout::kChannelsLast, /*overwritten=*/x));
  plan.AddPrimitive(node, std::move(primitive), std::move(buffers));
  return absl::OkStatus();
}

absl::Status Lower(const graph::Node& node, const graph::Pool& op, PlanBuilder& plan) {
  const ValueId x = node.inputs[0];
  const ValueId y = node.outputs[0];
  RETURN_IF_ERROR(RequireRank(plan.shape(x), 3));
  ASSIGN_OR_RETURN(const graph::ResolvedWindow window, graph::ResolveWindow(op.window, op.ceil_mode, plan.shape(x)));
  ASSIGN_OR_RETURN(onednn::Primitive primitive, onednn::MakePooling(op, window, plan.shape(x), plan.shape(y)));
  ASSIGN_OR_RETURN(const int src, plan.Read(x, Layout::kChannelsLast));
  plan.AddPrimitive(node, std::move(primitive), {src, plan.Write(y, Layout::kChannelsLast)});
  return absl::OkStatus();
}

// {N,C,T} -> {N,C,1}
absl::Status Lower(const graph::Node& node, const graph::GlobalPool& op, PlanBuilder& plan) {
  const ValueId x = node.inputs[0];
  RETURN_IF_ERROR(RequireRank(plan.shape(x), 3));
  ASSIGN_OR_RETURN(onednn::Primitive primitive, onednn::MakeGlobalPooling(op.kind, plan.shape(x)));
  ASSIGN_OR_RETURN(const int src, plan.Read(x, Layout::kChannelsLast));
  plan.AddPrimitive(node, std::move(primitive), {src, plan.Write(node.outputs[0], Layout::kChannelsLast)});
  return absl::OkStatus();
}

}  // namespace stillwave::execution
