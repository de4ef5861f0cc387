#include "server/execution/onednn/finish.h"
#include "server/execution/onednn/onednn_error.h"
#include "server/execution/onednn/primitives.h"
#include "server/execution/onednn/version.h"

namespace stillwave::execution::onednn {

absl::StatusOr<Primitive> MakeReorder(const dnnl::memory::desc& src, const dnnl::memory::desc& dst) {
  return CatchErrors("reorder", [&]() -> absl::StatusOr<Primitive> {
    const dnnl::reorder::primitive_desc desc(CpuEngine(), src, CpuEngine(), dst, UserScratchpad());
    return Finish("reorder", desc, dnnl::reorder(desc), {{DNNL_ARG_FROM, src}, {DNNL_ARG_TO, dst}});
  });
}

}  // namespace stillwave::execution::onednn
