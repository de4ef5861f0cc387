#include "server/execution/execution_context.h"

#include <cstdlib>
#include <utility>

#include "server/base/check.h"

// Of OpenMP's API. Declared here because clang's <omp.h> belongs to another runtime than oneDNN's.
extern "C" void omp_set_num_threads(int threads);

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
    arena_bytes_ = arena_ == nullptr ? 0 : rounded;
  }
  return arena_.get();
}

ExecutionContext::Binding* ExecutionContext::FindBinding(uint64_t plan_id) const {
  const auto found = bindings_.find(plan_id);
  return found == bindings_.end() ? nullptr : found->second.get();
}

ExecutionContext::Binding& ExecutionContext::KeepBinding(uint64_t plan_id, std::unique_ptr<Binding> binding) {
  if (bindings_.size() >= kMaxBindings) bindings_.clear();
  std::unique_ptr<Binding>& kept = bindings_[plan_id];
  kept = std::move(binding);
  return *kept;
}

void ExecutionContext::UseOneThread() { omp_set_num_threads(1); }

}  // namespace stillwave::execution
