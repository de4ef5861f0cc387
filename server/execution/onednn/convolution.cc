#include "server/execution/onednn/finish.h"
#include "server/execution/onednn/onednn_error.h"
#include "server/execution/onednn/primitives.h"
#include "server/execution/onednn/version.h"

namespace stillwave::execution::onednn {
namespace {

Dims WeightsDims(const tensor::Shape& weights, int64_t group) {
  Dims dims = ImageDims(weights);
  if (group == 1) return dims;
  dims[0] /= group;
  dims.insert(dims.begin(), group);
  return dims;
}

// One entry per spatial axis of ImageDims: {T} -> {1,T} with the neutral value for H.
Dims Spatial(const std::vector<int64_t>& values, int64_t neutral, int64_t subtract = 0) {
  Dims dims;
  if (values.size() == 1) dims.push_back(neutral);
  for (const int64_t value : values) dims.push_back(value - subtract);
  return dims;
}

}  // namespace

dnnl::memory::desc ConvolutionWeightsDesc(const tensor::Shape& weights, int64_t group) {
  return RowMajorDesc(WeightsDims(weights, group));
}

dnnl::memory::desc EightOutputsDesc(const tensor::Shape& weights) {
  return {WeightsDims(weights, /*group=*/1), dnnl::memory::data_type::f32, dnnl::memory::format_tag::Ohwi8o};
}

dnnl::memory::desc RowwiseProductWeightsDesc(int64_t n, int64_t k, bool stored_as_k_by_n) {
  return {{n, k, 1, 1}, dnnl::memory::data_type::f32, stored_as_k_by_n ? Dims{1, n, 1, 1} : Dims{k, 1, 1, 1}};
}

absl::StatusOr<Primitive> MakeRowwiseProduct(int64_t m, int64_t k, int64_t n, bool has_bias, Elements elements) {
  const graph::Conv product{
      .window = {.kernel = {1}, .strides = {1}, .dilations = {1}, .pads_begin = {0}, .pads_end = {0}}};
  return MakeConvolution(product, {{0}, {0}, {m}}, {1, k, m}, {n, k, 1}, has_bias, {1, n, m}, elements);
}

absl::StatusOr<Primitive> MakeConvolution(const graph::Conv& op, const graph::ResolvedWindow& window,
                                          const tensor::Shape& src, const tensor::Shape& weights, bool has_bias,
                                          const tensor::Shape& dst, Elements elements) {
  return CatchErrors("convolution", [&]() -> absl::StatusOr<Primitive> {
    const Desc any_weights(WeightsDims(weights, op.group), ToDnnl(elements.in), dnnl::memory::format_tag::any);
    const Desc bias = has_bias ? RowMajorDesc({weights[0]}) : Desc();
    dnnl::primitive_attr attr = UserScratchpad();
    if (op.fused_relu) {
      dnnl::post_ops ops;
      AppendRelu(ops);
      attr.set_post_ops(ops);
    }
    const auto desc = ConvolutionDesc(ImageDesc(src, Layout::kChannelsLast, elements.in), any_weights, bias,
                                      ImageDesc(dst, Layout::kChannelsLast, elements.out),
                                      Spatial(op.window.strides, 1), Spatial(op.window.dilations, 0, /*subtract=*/1),
                                      Spatial(window.pads_begin, 0), Spatial(window.pads_end, 0), attr);
    std::vector<Argument> arguments = {{DNNL_ARG_SRC, desc.src_desc()}, {DNNL_ARG_WEIGHTS, desc.weights_desc()}};
    if (has_bias) arguments.push_back({DNNL_ARG_BIAS, desc.bias_desc()});
    arguments.push_back({DNNL_ARG_DST, desc.dst_desc()});
    return Finish("convolution", desc, dnnl::convolution_forward(desc), std::move(arguments));
  });
}

}  // namespace stillwave::execution::onednn
