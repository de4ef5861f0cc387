#include "server/execution/onednn/primitive.h"

namespace stillwave::execution::onednn {

bool IsFallback(const Primitive& primitive) {
  const std::string& name = primitive.implementation;
  if (name.find("brg") != std::string::npos) return false;  // brgemm, brgconv: blocked and vectorized
  return name.find("gemm") != std::string::npos || name.find("ref") != std::string::npos;
}

void DropPrimitiveCache() {
  const int capacity = dnnl::get_primitive_cache_capacity();
  dnnl::set_primitive_cache_capacity(0);
  dnnl::set_primitive_cache_capacity(capacity);
}

const dnnl::engine& CpuEngine() {
  static const dnnl::engine* const engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *engine;
}

}  // namespace stillwave::execution::onednn
