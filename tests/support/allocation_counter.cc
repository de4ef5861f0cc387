#include "tests/support/allocation_counter.h"

#include <cerrno>
#include <cstddef>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STILLWAVE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STILLWAVE_SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(STILLWAVE_SANITIZED)
#define STILLWAVE_COUNTS_ALLOCATIONS 1
#endif

namespace stillwave::test_support {
namespace {
// Without constructor or destructor: malloc is called before the first and after the last.
constinit thread_local AllocationCount thread_count;
}  // namespace

AllocationCount ThreadAllocations() { return thread_count; }

bool CountsAllocations() {
#ifdef STILLWAVE_COUNTS_ALLOCATIONS
  return true;
#else
  return false;
#endif
}

#ifdef STILLWAVE_COUNTS_ALLOCATIONS
namespace {
void Count(size_t bytes) {
  ++thread_count.allocations;
  thread_count.bytes += static_cast<int64_t>(bytes);
}
}  // namespace

// glibc's own names for what is replaced here; free stays as it is.
extern "C" {
void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* pointer, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

void* malloc(size_t bytes) noexcept {
  Count(bytes);
  return __libc_malloc(bytes);
}

void* calloc(size_t count, size_t bytes) noexcept {
  Count(count * bytes);
  return __libc_calloc(count, bytes);
}

void* realloc(void* pointer, size_t bytes) noexcept {
  Count(bytes);
  return __libc_realloc(pointer, bytes);
}

void* memalign(size_t alignment, size_t bytes) noexcept {
  Count(bytes);
  return __libc_memalign(alignment, bytes);
}

void* aligned_alloc(size_t alignment, size_t bytes) noexcept {
  Count(bytes);
  return __libc_memalign(alignment, bytes);
}

int posix_memalign(void** pointer, size_t alignment, size_t bytes) noexcept {
  Count(bytes);
  void* const made = __libc_memalign(alignment, bytes);
  if (made == nullptr) return ENOMEM;
  *pointer = made;
  return 0;
}
}  // extern "C"
#endif

}  // namespace stillwave::test_support
