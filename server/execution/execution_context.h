// One worker's scratch: the memory that a plan needs while it runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

namespace stillwave::execution {

// Not thread-safe: belongs to one thread at a time. Grows to the largest plan that it ran and stays there.
class ExecutionContext {
 public:
  // What a plan prepared for this context, so that running it again allocates nothing.
  class Binding {
   public:
    virtual ~Binding() = default;
  };

  ExecutionContext();
  ~ExecutionContext();
  ExecutionContext(const ExecutionContext&) = delete;
  ExecutionContext& operator=(const ExecutionContext&) = delete;

  // At least `bytes`, aligned to 64; valid until the next call. Contents are not kept. Null when there is no memory.
  std::byte* Arena(size_t bytes);

  // The binding kept for the plan of that id, or null.
  Binding* FindBinding(uint64_t plan_id) const;
  // Keeps it; drops all others first when kMaxBindings are there (plans come and go, contexts stay).
  Binding& KeepBinding(uint64_t plan_id, std::unique_ptr<Binding> binding);
  static constexpr size_t kMaxBindings = 256;

  // Sets one OpenMP thread for the calling thread. Compiling and running plans call it first: with more, a busy machine
  // turns libgomp's barriers into milliseconds, and results could depend on the thread count.
  static void UseOneThread();

 private:
  struct Free {
    void operator()(std::byte* pointer) const;
  };
  std::unique_ptr<std::byte, Free> arena_;
  size_t arena_bytes_ = 0;
  std::unordered_map<uint64_t, std::unique_ptr<Binding>> bindings_;
};

}  // namespace stillwave::execution
