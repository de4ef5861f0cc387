#include "server/execution/memory_planner.h"

#include <algorithm>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::execution {
namespace {

using ::testing::IsEmpty;

bool Overlap(size_t a, size_t a_bytes, size_t b, size_t b_bytes) { return a < b + b_bytes && b < a + a_bytes; }

TEST(PlanMemoryTest, ReusesTheMemoryOfABufferThatIsNoLongerNeeded) {
  const MemoryPlan plan = PlanMemory({{1000, 0, 1}, {1000, 1, 2}, {1000, 2, 3}});
  EXPECT_EQ(plan.offsets[2], plan.offsets[0]);
  EXPECT_NE(plan.offsets[1], plan.offsets[0]);
  EXPECT_EQ(plan.total_bytes, 2048U);
}

TEST(PlanMemoryTest, KeepsABufferApartFromOneThatStartsInItsLastStep) {
  const MemoryPlan plan = PlanMemory({{64, 0, 5}, {64, 5, 6}});
  EXPECT_NE(plan.offsets[0], plan.offsets[1]);
}

TEST(PlanMemoryTest, GivesNothingToBuffersWithoutBytes) {
  const MemoryPlan plan = PlanMemory({{0, -1, -1}, {64, 0, 0}, {0, 0, 3}});
  EXPECT_EQ(plan.total_bytes, 64U);
  EXPECT_THAT(PlanMemory({}).offsets, IsEmpty());
  EXPECT_EQ(PlanMemory({}).total_bytes, 0U);
}

TEST(PlanMemoryTest, NeverLetsLivingBuffersOverlapAndWastesLittle) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<BufferLifetime> lifetimes;
    const int count = std::uniform_int_distribution(1, 60)(random);
    for (int i = 0; i < count; ++i) {
      const int first = std::uniform_int_distribution(0, 40)(random);
      const int length = std::uniform_int_distribution(0, 8)(random);
      const auto bytes = static_cast<size_t>(std::uniform_int_distribution(0, 5000)(random));
      lifetimes.push_back({bytes, first, first + length});
    }
    const MemoryPlan plan = PlanMemory(lifetimes);
    ASSERT_EQ(plan.offsets.size(), lifetimes.size());
    size_t sum = 0;
    for (size_t i = 0; i < lifetimes.size(); ++i) {
      const BufferLifetime& a = lifetimes[i];
      if (a.bytes == 0) continue;
      sum += (a.bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
      EXPECT_EQ(plan.offsets[i] % kBufferAlignment, 0U);
      EXPECT_LE(plan.offsets[i] + a.bytes, plan.total_bytes);
      for (size_t j = 0; j < i; ++j) {
        const BufferLifetime& b = lifetimes[j];
        if (b.bytes == 0 || a.last < b.first || b.last < a.first) continue;
        EXPECT_FALSE(Overlap(plan.offsets[i], a.bytes, plan.offsets[j], b.bytes)) << i << " and " << j;
      }
    }
    EXPECT_LE(plan.total_bytes, sum);
  }
}

TEST(PlanMemoryTest, NeedsNoMoreThanTwoBuffersForAChain) {
  std::vector<BufferLifetime> chain;
  for (int i = 0; i < 50; ++i) chain.push_back({4096, i, i + 1});
  EXPECT_EQ(PlanMemory(chain).total_bytes, 2 * 4096U);
}

TEST(PlanMemoryDeathTest, EndsTheProcessOnALifetimeThatEndsBeforeItStarts) {
  EXPECT_DEATH(PlanMemory({{64, 3, 2}}), "broken invariant");
}

}  // namespace
}  // namespace stillwave::execution
