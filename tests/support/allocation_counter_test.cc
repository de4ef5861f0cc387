#include "tests/support/allocation_counter.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace stillwave::test_support {
namespace {

// Out of the compiler's sight: it may leave out an allocation that it sees freed.
void Escape(void* pointer) { asm volatile("" : : "g"(pointer) : "memory"); }

AllocationCount CountOf(const std::function<void()>& action) {
  const AllocationCount before = ThreadAllocations();
  action();
  const AllocationCount after = ThreadAllocations();
  return {after.allocations - before.allocations, after.bytes - before.bytes};
}

class AllocationCounterTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!CountsAllocations()) GTEST_SKIP() << "this build does not count";
  }
};

TEST_F(AllocationCounterTest, CountsWhatOperatorNewAndTheCLibraryAllocate) {
  const auto expect = [](int64_t allocations, int64_t bytes, const std::function<void()>& action) {
    const AllocationCount count = CountOf(action);
    EXPECT_EQ(count.allocations, allocations);
    EXPECT_EQ(count.bytes, bytes);
  };
  expect(1, 100, [] { Escape(std::make_unique<char[]>(100).get()); });
  expect(1, 100, [] {
    void* const pointer = std::malloc(100);
    Escape(pointer);
    std::free(pointer);
  });
  expect(1, 60, [] {
    void* const pointer = std::calloc(20, 3);
    Escape(pointer);
    std::free(pointer);
  });
  expect(1, 128, [] {
    void* const pointer = std::aligned_alloc(64, 128);
    Escape(pointer);
    std::free(pointer);
  });
  expect(2, 300, [] {
    void* pointer = std::malloc(100);
    Escape(pointer);
    pointer = std::realloc(pointer, 200);
    Escape(pointer);
    std::free(pointer);
  });
}

TEST_F(AllocationCounterTest, CountsNothingWhereNothingIsAllocated) {
  const AllocationCount count = CountOf([] { Escape(std::string("short").data()); });
  EXPECT_EQ(count.allocations, 0);
}

TEST_F(AllocationCounterTest, LeavesOutOtherThreads) {
  AllocationCount of_the_other;
  std::thread other([&] { of_the_other = CountOf([] { Escape(std::make_unique<char[]>(1 << 20).get()); }); });
  const AllocationCount here = CountOf([&] { other.join(); });
  EXPECT_EQ(of_the_other.bytes, 1 << 20);
  EXPECT_LT(here.bytes, 1 << 20);
}

}  // namespace
}  // namespace stillwave::test_support
