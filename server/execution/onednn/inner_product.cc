#include "server/execution/onednn/finish.h"
#include "server/execution/onednn/onednn_error.h"
#include "server/execution/onednn/primitives.h"
#include "server/execution/onednn/version.h"

namespace stillwave::execution::onednn {

dnnl::memory::desc InnerProductWeightsDesc(int64_t n, int64_t k, bool stored_as_k_by_n) {
  const Dims strides = stored_as_k_by_n ? Dims{1, n} : Dims{k, 1};
  return {{n, k}, dnnl::memory::data_type::f32, strides};
}

absl::StatusOr<Primitive> MakeInnerProduct(int64_t m, int64_t k, int64_t n, bool has_bias, Elements elements) {
  return CatchErrors("inner product", [&]() -> absl::StatusOr<Primitive> {
    const Desc any_weights({n, k}, ToDnnl(elements.in), dnnl::memory::format_tag::any);
    const Desc bias = has_bias ? RowMajorDesc({n}) : Desc();
    const auto desc = InnerProductDesc(RowMajorDesc({m, k}, elements.in), any_weights, bias,
                                       RowMajorDesc({m, n}, elements.out), UserScratchpad());
    std::vector<Argument> arguments = {{DNNL_ARG_SRC, desc.src_desc()}, {DNNL_ARG_WEIGHTS, desc.weights_desc()}};
    if (has_bias) arguments.push_back({DNNL_ARG_BIAS, desc.bias_desc()});
    arguments.push_back({DNNL_ARG_DST, desc.dst_desc()});
    return Finish("inner_product", desc, dnnl::inner_product_forward(desc), std::move(arguments));
  });
}

}  // namespace stillwave::execution::onednn
