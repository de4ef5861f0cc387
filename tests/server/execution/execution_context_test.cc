#include "server/execution/execution_context.h"

#include <cstdint>
#include <thread>

#include "gtest/gtest.h"

// Of the OpenMP runtime that oneDNN uses; see execution_context.cc.
extern "C" int omp_get_max_threads();
extern "C" void omp_set_num_threads(int threads);

namespace stillwave::execution {
namespace {

struct CountedBinding final : ExecutionContext::Binding {
  explicit CountedBinding(int* alive_count) : alive(alive_count) { ++*alive; }
  ~CountedBinding() override { --*alive; }
  int* alive;
};

TEST(ExecutionContextTest, GrowsItsAlignedArenaAndStaysThere) {
  ExecutionContext context;
  std::byte* large = context.Arena(100000);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(large) % 64, 0U);
  large[99999] = std::byte{1};
  EXPECT_EQ(context.Arena(10), large);
  EXPECT_EQ(context.Arena(100000), large);
  std::byte* larger = context.Arena(1000000);
  larger[999999] = std::byte{1};
  EXPECT_EQ(reinterpret_cast<uintptr_t>(larger) % 64, 0U);
}

TEST(ExecutionContextTest, GivesAValidArenaForNoBytes) {
  ExecutionContext context;
  EXPECT_NE(context.Arena(0), nullptr);
}

TEST(ExecutionContextTest, KeepsBindingsByPlan) {
  int alive = 0;
  {
    ExecutionContext context;
    EXPECT_EQ(context.FindBinding(7), nullptr);
    ExecutionContext::Binding& kept = context.KeepBinding(7, std::make_unique<CountedBinding>(&alive));
    EXPECT_EQ(context.FindBinding(7), &kept);
    EXPECT_EQ(context.FindBinding(8), nullptr);
  }
  EXPECT_EQ(alive, 0);
}

TEST(ExecutionContextTest, HoldsABoundedNumberOfBindings) {
  int alive = 0;
  ExecutionContext context;
  for (uint64_t id = 0; id < 3 * ExecutionContext::kMaxBindings; ++id) {
    context.KeepBinding(id, std::make_unique<CountedBinding>(&alive));
    EXPECT_LE(static_cast<size_t>(alive), ExecutionContext::kMaxBindings);
    EXPECT_NE(context.FindBinding(id), nullptr);
  }
}

TEST(ExecutionContextTest, SetsOneOpenMpThreadForTheCallingThreadOnly) {
  int in_thread = 0;
  int outside = 0;
  std::thread other([&] {
    omp_set_num_threads(3);
    std::thread caller([&] {
      ExecutionContext::UseOneThread();
      in_thread = omp_get_max_threads();
    });
    caller.join();
    outside = omp_get_max_threads();
  });
  other.join();
  EXPECT_EQ(in_thread, 1);
  EXPECT_EQ(outside, 3);
}

}  // namespace
}  // namespace stillwave::execution
