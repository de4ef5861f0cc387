#include "server/execution/onednn/primitive.h"

#include <utility>

namespace stillwave::execution::onednn {

bool IsFallback(const Primitive& primitive) {
  const std::string& name = primitive.implementation;
  if (name.find("brg") != std::string::npos) return false;  // brgemm, brgconv: blocked and vectorized
  return name.find("gemm") != std::string::npos || name.find("ref") != std::string::npos;
}

// Instruction sets are sets of bits: a wider one has those of what it includes.
bool HasBf16() {
  constexpr auto kBf16 = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
  return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & kBf16) == kBf16;
}

absl::string_view InstructionSet() {
  using Isa = dnnl::cpu_isa;
  const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  static constexpr std::pair<Isa, absl::string_view> kNames[] = {
      {Isa::avx512_core_amx, "avx512_core_amx"},
      {Isa::avx512_core_bf16, "avx512_core_bf16"},
      {Isa::avx512_core_vnni, "avx512_core_vnni"},
      {Isa::avx512_core, "avx512_core"},
      {Isa::avx2_vnni, "avx2_vnni"},
      {Isa::avx2, "avx2"},
      {Isa::avx, "avx"},
  };
  for (const auto& [candidate, name] : kNames) {
    const auto bits = static_cast<unsigned>(candidate);
    if ((isa & bits) == bits) return name;
  }
  return "sse4.1";
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
