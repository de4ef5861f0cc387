#include "server/execution/onednn/primitive.h"

namespace stillwave::execution::onednn {

const dnnl::engine& CpuEngine() {
  static const dnnl::engine* const engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *engine;
}

}  // namespace stillwave::execution::onednn
