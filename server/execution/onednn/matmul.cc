#include "server/execution/onednn/finish.h"
#include "server/execution/onednn/onednn_error.h"
#include "server/execution/onednn/primitives.h"
#include "server/execution/onednn/version.h"

namespace stillwave::execution::onednn {

absl::StatusOr<Primitive> MakeMatMul(const dnnl::memory::desc& src, const dnnl::memory::desc& weights,
                                     const dnnl::memory::desc& dst) {
  return CatchErrors("matmul", [&]() -> absl::StatusOr<Primitive> {
    const auto desc = MatMulDesc(src, weights, dst, UserScratchpad());
    return Finish("matmul", desc, dnnl::matmul(desc),
                  {{DNNL_ARG_SRC, src}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, dst}});
  });
}

}  // namespace stillwave::execution::onednn
