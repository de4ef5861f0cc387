// One worker's scratch: the memory that a plan needs while it runs.
#pragma once

#include <cstddef>
#include <memory>

namespace stillwave::execution {

// Not thread-safe: belongs to one thread at a time. Grows to the largest plan that it ran and stays there.
class ExecutionContext {
 public:
  ExecutionContext();
  ~ExecutionContext();
  ExecutionContext(const ExecutionContext&) = delete;
  ExecutionContext& operator=(const ExecutionContext&) = delete;

  // At least `bytes`, aligned to 64; valid until the next call. Contents are not kept.
  std::byte* Arena(size_t bytes);

  // Sets one OpenMP thread for the calling thread. Every thread that compiles or runs plans calls it first: with more,
  // a busy machine turns libgomp's barriers into milliseconds, and results could depend on the thread count.
  static void UseOneThread();

 private:
  struct Free {
    void operator()(std::byte* pointer) const;
  };
  std::unique_ptr<std::byte, Free> arena_;
  size_t arena_bytes_ = 0;
};

}  // namespace stillwave::execution
