#include "server/execution/borders.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "server/base/status_macros.h"
#include "server/execution/channels_last.h"
#include "server/kernels/kernel.h"

namespace stillwave::execution {

using onednn::Element;

bool IsPadded(const graph::ResolvedWindow& window) {
  const auto is_positive = [](int64_t pad) { return pad > 0; };
  return std::any_of(window.pads_begin.begin(), window.pads_begin.end(), is_positive) ||
         std::any_of(window.pads_end.begin(), window.pads_end.end(), is_positive);
}

tensor::Shape BorderedShape(tensor::Shape shape, const graph::ResolvedWindow& window) {
  for (size_t i = 0; i < window.output.size(); ++i) {
    shape[static_cast<int>(i) + 2] += window.pads_begin[i] + window.pads_end[i];
  }
  return shape;
}

absl::StatusOr<int> AddBorders(const graph::Node& node, int src, const graph::ResolvedWindow& window, Element element,
                               PlanBuilder& plan) {
  const tensor::Shape& x = plan.shape(node.inputs[0]);
  const tensor::Shape bordered = BorderedShape(x, window);
  std::vector<int64_t> pads(2 * static_cast<size_t>(x.rank()), 0);
  for (size_t i = 0; i < window.output.size(); ++i) {
    pads[i + 1] = window.pads_begin[i];
    pads[i + 1 + static_cast<size_t>(x.rank())] = window.pads_end[i];
  }
  const auto amounts = tensor::Tensor::FromValues<int64_t>({static_cast<int64_t>(pads.size())}, pads);
  // The kernel moves bytes: only the size of an element matters to it.
  const auto type = element == Element::kBf16 ? tensor::DataType::kBFloat16 : tensor::DataType::kFloat32;
  const graph::InputType inputs[] = {{true, type, ChannelsLastShape(x), nullptr},
                                     {true, tensor::DataType::kInt64, amounts.shape(), &amounts}};
  ASSIGN_OR_RETURN(kernels::Kernel kernel,
                   kernels::MakeKernel(graph::Pad{}, inputs, {type, ChannelsLastShape(bordered)}));
  const int borders = plan.AddScratch(static_cast<size_t>(bordered.num_elements()) * onednn::SizeOf(element));
  StepInfo& info = plan.AddKernel(node, std::move(kernel), {src, kNoBuffer}, borders);
  info.op = "Pad";
  info.attributes = "zero borders";
  info.output_shape = bordered.ToString();
  return borders;
}

}  // namespace stillwave::execution
