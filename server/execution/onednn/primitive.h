// A oneDNN primitive with its arguments described, ready to be bound to memory.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
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

// True for the implementations that oneDNN has for when no vectorised one fits: plain loops ("ref") and matrix products
// over a gathered copy of the input ("gemm").
bool IsFallback(const Primitive& primitive);

// What a convolution over this many output columns (the last axis) holds beside its weights, roughly. Measured with
// oneDNN 2.6.3: 1.3 to 1.5 kB a column, whatever the channels; 141 MB for a series of 100,000.
inline constexpr size_t kConvolutionBytesPerColumn = 1500;

// Whether this CPU computes with bf16 (avx512_bf16 or AMX); elsewhere oneDNN has no such primitives, or slow ones.
bool HasBf16();
// The widest instruction set that oneDNN uses here, as its implementations name it: "avx2".
absl::string_view InstructionSet();

// Frees primitives that oneDNN keeps for those who make the same again. Plans keep theirs.
void DropPrimitiveCache();

// The one CPU engine of the process.
const dnnl::engine& CpuEngine();

}  // namespace stillwave::execution::onednn
