// The most FP32 arithmetic that one core does: what convolutions are measured against.
#pragma once

#include <string>

#include "tests/benchmark/statistics.h"

namespace stillwave::benchmark {

struct FmaPeak {
  std::string instructions;  // "avx512", "avx2+fma", "sse2" (multiply, then add), "scalar"
  double median = 0;         // GFLOP/s, a multiply-add is two
  double best = 0;
};

// With the widest instructions that this processor has, in registers alone, over `seconds` of CPU time.
FmaPeak MeasureFmaPeak(double seconds);

}  // namespace stillwave::benchmark
