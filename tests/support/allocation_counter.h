// Counts what a thread allocates. A program that links this has a malloc of its own in front of the C library's, so
// that nothing escapes: operator new, aligned_alloc and the libraries' own calls are counted too.
#pragma once

#include <cstdint>

namespace stillwave::test_support {

struct AllocationCount {
  int64_t allocations = 0;
  int64_t bytes = 0;  // as asked for
};

// By the calling thread since it began. A call that moves a block (realloc) counts as one of its new size.
AllocationCount ThreadAllocations();

// False where the counts stay 0: under a sanitizer, which has a malloc of its own, and without glibc.
bool CountsAllocations();

}  // namespace stillwave::test_support
