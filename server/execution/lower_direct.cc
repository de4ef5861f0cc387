// A convolution whose sums a kernel of ours keeps in registers (server/kernels/direct_convolution.h,
// docs/decisions/0020).
#include <utility>
#include <vector>

#include "server/base/status_macros.h"
#include "server/execution/borders.h"
#include "server/execution/lowering.h"
#include "server/execution/onednn/primitives.h"
#include "server/kernels/direct_convolution.h"

namespace stillwave::execution {
namespace {

using onednn::Element;
using onednn::Layout;
using tensor::Shape;

// oneDNN's kernel sums over three columns of one row at a time, and over what is left of the row when three do not
// divide it. In long rows that is as fast, without borders; and a sample with its borders should stay in the caches.
constexpr int64_t kMaxColumns = 16;
constexpr int64_t kMaxFloats = 8192;

kernels::DirectShape DirectShapeOf(const graph::Conv& op, const graph::ResolvedWindow& window, const Shape& bordered,
                                   int64_t out_channels) {
  kernels::DirectShape shape{.samples = bordered[0], .channels = bordered[1], .out_channels = out_channels};
  const auto axis = [&](size_t i) {
    return kernels::DirectAxis{bordered[static_cast<int>(i) + 2], op.window.kernel[i], op.window.strides[i],
                               op.window.dilations[i], window.output[i]};
  };
  shape.rows = axis(0);
  shape.columns = axis(1);
  return shape;
}

}  // namespace

bool SuitsDirect(const graph::Conv& op, const graph::ResolvedWindow& window, const Shape& src) {
  if (src.rank() != 4 || op.group != 1 || op.window.kernel[0] == 1) return false;
  const Shape bordered = BorderedShape(src, window);
  return window.output[1] <= kMaxColumns && bordered[1] * bordered[2] * bordered[3] <= kMaxFloats &&
         onednn::InstructionSet() == "avx2" && kernels::HasDirectConvolution();
}

// {N,H,W,C} -> {N,H+pads,W+pads,C} with zero borders -> {N,H',W',M}
absl::Status LowerDirect(const graph::Node& node, const graph::Conv& op, const graph::ResolvedWindow& window,
                         PlanBuilder& plan) {
  const graph::ValueId x = node.inputs[0];
  const Shape& weights = plan.shape(node.inputs[1]);
  ASSIGN_OR_RETURN(int src, plan.Read(x, Layout::kChannelsLast));
  if (IsPadded(window)) {
    ASSIGN_OR_RETURN(src, AddBorders(node, src, window, Element::kFp32, plan));
  }
  ASSIGN_OR_RETURN(const int packed, plan.ReadWeights(plan.value(node.inputs[1]).constant,
                                                      onednn::ConvolutionWeightsDesc(weights, op.group),
                                                      onednn::EightOutputsDesc(weights)));
  std::vector<int> inputs = {src, packed};
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != graph::kNoValue;
  if (has_bias) {
    ASSIGN_OR_RETURN(const int bias, plan.Read(node.inputs[2], Layout::kRowMajor));
    inputs.push_back(bias);
  }
  const kernels::DirectShape shape = DirectShapeOf(op, window, BorderedShape(plan.shape(x), window), weights[0]);
  kernels::Kernel kernel = kernels::DirectConvolution(shape, has_bias, op.fused_relu);
  plan.AddKernel(node, std::move(kernel), std::move(inputs), plan.Write(node.outputs[0], Layout::kChannelsLast));
  return absl::OkStatus();
}

}  // namespace stillwave::execution
