// Where each buffer of a plan lies in the worker's arena. A pure function.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/types/span.h"

namespace stillwave::execution {

// A buffer that holds something from step `first` to step `last`, both inclusive.
struct BufferLifetime {
  size_t bytes = 0;
  int first = 0;
  int last = 0;
};

struct MemoryPlan {
  std::vector<size_t> offsets;  // one per lifetime, multiples of kBufferAlignment
  size_t total_bytes = 0;
};

inline constexpr size_t kBufferAlignment = 64;

// Buffers whose lifetimes overlap do not overlap in memory. Best fit in order of first use: O(n log n) for what plans
// look like. REQUIRES: first <= last.
MemoryPlan PlanMemory(absl::Span<const BufferLifetime> lifetimes);

}  // namespace stillwave::execution
