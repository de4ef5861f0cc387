#include "server/execution/execution_context.h"

#include <omp.h>

#include <cstdlib>

#include "server/base/check.h"

namespace stillwave::execution {
namespace {
constexpr size_t kArenaAlignment = 64;
}  // namespace

ExecutionContext::ExecutionContext() = default;
ExecutionContext::~ExecutionContext() = default;

void ExecutionContext::Free::operator()(std::byte* pointer) const { std::free(pointer); }

std::byte* ExecutionContext::Arena(size_t bytes) {
  if (bytes > arena_bytes_ || arena_ == nullptr) {
    const size_t rounded = (bytes / kArenaAlignment + 1) * kArenaAlignment;
    arena_.reset();
    arena_.reset(static_cast<std::byte*>(std::aligned_alloc(kArenaAlignment, rounded)));
    SW_CHECK(arena_ != nullptr);
    arena_bytes_ = rounded;
  }
  return arena_.get();
}

void ExecutionContext::UseOneThread() { omp_set_num_threads(1); }

}  // namespace stillwave::execution
