// A oneDNN primitive with its arguments described, ready to be bound to memory.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "oneapi/dnnl/dnnl.hpp"

namespace stillwave::execution::onednn {

struct Argument {
  int index = 0;  // DNNL_ARG_…
  dnnl::memory::desc desc;
};

// Executes with scratchpad_mode::user, so that any number of threads may run it at once.
struct Primitive {
  dnnl::primitive primitive;
  std::vector<Argument> arguments;  // the scratchpad, when one is needed, is the last
  std::string kind;                 // "convolution", …
  std::string implementation;       // "brgconv:avx512_core", …
  size_t scratchpad_bytes = 0;      // 0: no scratchpad argument
};

// The one CPU engine of the process.
const dnnl::engine& CpuEngine();

}  // namespace stillwave::execution::onednn
