// A convolution by Winograd's minimal filtering: matrix products over half as many columns take the place of one
// multiplication for each tap (server/kernels/winograd.h, docs/decisions/0008).
//
// {N,T,C} -> planes {N·tiles,C} -> products with {M,C} -> planes {N·tiles,M} -> {N,T',M}
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/execution/lowering.h"
#include "server/execution/onednn/primitives.h"
#include "server/kernels/winograd.h"

namespace stillwave::execution {
namespace {

using onednn::Layout;
using tensor::Shape;

// With fewer channels the sums cost more than the products that they save (measured, see the decision); others than
// multiples of 8 leave oneDNN's vectorized products.
constexpr int64_t kMinChannels = 48;
constexpr int64_t kChannelStep = 8;
constexpr int64_t kMinLength = 8;
// Transformed weights lie in memory beside the original ones: layers of more than 1 MB are not worth that.
constexpr int64_t kMaxWeights = int64_t{1} << 18;

constexpr size_t Bytes(int64_t floats) { return static_cast<size_t>(floats) * sizeof(float); }

bool SuitsChannels(int64_t channels) {
  return channels >= kMinChannels && channels % kChannelStep == 0 && channels <= kernels::kMaxOutChannels;
}

int64_t Last(const Shape& shape) { return shape[shape.rank() - 1]; }

// {N,C,T}, or {N,C,1,T} as Keras's exporter writes it, which lies in memory as the other.
bool IsSeries(const graph::ResolvedWindow& window, const Shape& src, const Shape& weights) {
  return src.rank() == 3 ||
         (src.rank() == 4 && src[2] == 1 && weights[2] == 1 && window.output[0] == 1 && window.pads_begin[0] == 0);
}

}  // namespace

bool SuitsWinograd(const graph::Conv& op, const graph::ResolvedWindow& window, const Shape& src, const Shape& weights) {
  return IsSeries(window, src, weights) && op.group == 1 && Last(weights) >= 2 && op.window.strides.back() == 1 &&
         op.window.dilations.back() == 1 && SuitsChannels(weights[0]) && SuitsChannels(weights[1]) &&
         weights.num_elements() <= kMaxWeights && window.output.back() >= kMinLength;
}

absl::Status LowerWinograd(const graph::Node& node, const graph::Conv& op, const graph::ResolvedWindow& window,
                           PlanBuilder& plan) {
  const Shape& src = plan.shape(node.inputs[0]);
  const Shape& weights = plan.shape(node.inputs[1]);
  const kernels::WinogradShape shape{
      .samples = src[0],
      .channels = src[1],
      .length = Last(src),
      .pad_begin = window.pads_begin.back(),
      .kernel = Last(weights),
      .out_channels = weights[0],
      .output_length = window.output.back(),
  };
  const std::vector<kernels::WinogradPlane> planes = kernels::WinogradPlanes(shape);
  const int64_t rows = shape.rows();
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != graph::kNoValue;

  ASSIGN_OR_RETURN(const int x, plan.Read(node.inputs[0], Layout::kChannelsLast));
  const kernels::WinogradPlane& last = planes.back();
  const int before = plan.AddScratch(Bytes(last.input_offset + rows * last.channels));
  const int after = plan.AddScratch(Bytes(last.output_offset + rows * shape.out_channels));
  StepInfo& spread = plan.AddKernel(node, kernels::WinogradInput(shape), {x}, before);
  spread.op = "Winograd";
  spread.attributes = absl::StrCat("input to ", planes.size(), " planes");

  for (size_t i = 0; i < planes.size(); ++i) {
    const kernels::WinogradPlane& plane = planes[i];
    ASSIGN_OR_RETURN(onednn::Primitive primitive, onednn::MakeRowwiseProduct(rows, plane.channels, shape.out_channels,
                                                                             /*has_bias=*/false));
    ASSIGN_OR_RETURN(
        const int packed,
        plan.ReadDerivedWeights(
            plan.value(node.inputs[1]).constant, absl::StrCat("winograd ", i),
            [i](const tensor::Tensor& original) { return kernels::WinogradWeights(original, i); },
            onednn::RowwiseProductWeightsDesc(shape.out_channels, plane.channels, false), primitive.arguments[1].desc));
    const int in = plan.AddPart(before, Bytes(plane.input_offset), Bytes(rows * plane.channels));
    const int out = plan.AddPart(after, Bytes(plane.output_offset), Bytes(rows * shape.out_channels));
    StepInfo& info = plan.AddPrimitive(node, std::move(primitive), {in, packed, out});
    info.attributes = absl::StrCat("winograd plane ", i);
    info.output_shape = Shape({rows, shape.out_channels}).ToString();
  }

  std::vector<int> inputs = {after};
  if (has_bias) {
    ASSIGN_OR_RETURN(const int bias, plan.Read(node.inputs[2], Layout::kRowMajor));
    inputs.push_back(bias);
  }
  const int y = plan.Write(node.outputs[0], Layout::kChannelsLast);
  kernels::Kernel gather = kernels::WinogradOutput(shape, has_bias, op.fused_relu);
  StepInfo& info = plan.AddKernel(node, std::move(gather), std::move(inputs), y);
  info.op = "Winograd";
  info.attributes = op.fused_relu ? "output +relu" : "output";
  return absl::OkStatus();
}

}  // namespace stillwave::execution
