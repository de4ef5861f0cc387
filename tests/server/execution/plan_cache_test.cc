#include "server/execution/plan_cache.h"

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/execution/run_plan.h"
#include "tests/support/network_builder.h"
#include "tests/support/status_matchers.h"

namespace stillwave::execution {
namespace {

using tensor::Shape;
using test_support::IsOk;
using test_support::NetworkBuilder;
using test_support::StatusIs;
using test_support::UniformWindow;
using ::testing::Each;
using ::testing::HasSubstr;

graph::Graph SmallNetwork() {
  NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {tensor::kDynamicDim, 2, tensor::kDynamicDim});
  build.Output(build.Conv(x, 2, 4, UniformWindow(1, 3)));
  return build.graph();
}

Shape OfLength(int64_t length) { return Shape({1, 2, length}); }

TEST(PlanCacheTest, CompilesEachShapeOnce) {
  PlanCache cache(SmallNetwork(), 4);
  const auto first = cache.Get({OfLength(8)});
  const auto again = cache.Get({OfLength(8)});
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(*first, *again);
  EXPECT_EQ(cache.compilations(), 1);
  ASSERT_THAT(cache.Get({OfLength(9)}), IsOk());
  EXPECT_EQ(cache.compilations(), 2);
  EXPECT_EQ(cache.size(), 2U);
}

TEST(PlanCacheTest, TellsOfEachCompilation) {
  std::vector<absl::Duration> compiled;
  PlanCache cache(SmallNetwork(), 4, [&](absl::Duration duration) { compiled.push_back(duration); });
  for (const int64_t length : {8, 9, 8, 9}) ASSERT_THAT(cache.Get({OfLength(length)}), IsOk());
  EXPECT_THAT(cache.Get({OfLength(2)}), ::testing::Not(IsOk()));  // shorter than the kernel
  ASSERT_EQ(compiled.size(), 2U);
  EXPECT_GT(compiled[0], absl::ZeroDuration());
}

TEST(PlanCacheTest, HoldsNoMoreThanItsCapacity) {
  PlanCache cache(SmallNetwork(), 3);
  for (int64_t length = 3; length < 23; ++length) {
    ASSERT_THAT(cache.Get({OfLength(length)}), IsOk());
    EXPECT_LE(cache.size(), 3U);
  }
  EXPECT_EQ(cache.compilations(), 20);
}

TEST(PlanCacheTest, BoundsWhatLongInputsHold) {
  // One convolution of 50,000 columns counts 75 MB: the second does not fit beside the first.
  PlanCache cache(SmallNetwork(), 100);
  for (int64_t length = 50000; length < 50004; ++length) {
    const auto plan = cache.Get({OfLength(length)});
    ASSERT_THAT(plan, IsOk());
    EXPECT_GT((*plan)->primitive_bytes() * 2, PlanCache::kMaxBytes);
    EXPECT_EQ(cache.size(), 1U);
  }
}

TEST(PlanCacheTest, RefusesInputsThatAreTooLongBeforeItCompiles) {
  PlanCache cache(SmallNetwork(), 4);
  EXPECT_THAT(cache.Get({OfLength(1000000)}),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("the input is too long")));
  EXPECT_THAT(cache.OutputShapes({OfLength(1000000)}),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("the input is too long")));
  EXPECT_EQ(cache.compilations(), 0);
}

TEST(PlanCacheTest, KnowsOutputShapesWithoutCompiling) {
  PlanCache cache(SmallNetwork(), 4);
  for (int i = 0; i < 2; ++i) {
    const auto shapes = cache.OutputShapes({OfLength(8)});
    ASSERT_THAT(shapes, IsOk());
    EXPECT_EQ(*shapes, std::vector<Shape>({Shape({1, 4, 6})}));
  }
  EXPECT_THAT(cache.OutputShapes({OfLength(2)}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("does not fit")));
  EXPECT_EQ(cache.compilations(), 0);
}

TEST(PlanCacheTest, DropsTheLeastRecentlyUsed) {
  PlanCache cache(SmallNetwork(), 2);
  ASSERT_THAT(cache.Get({OfLength(5)}), IsOk());
  ASSERT_THAT(cache.Get({OfLength(6)}), IsOk());
  ASSERT_THAT(cache.Get({OfLength(5)}), IsOk());  // 6 is now the oldest
  ASSERT_THAT(cache.Get({OfLength(7)}), IsOk());
  EXPECT_EQ(cache.compilations(), 3);
  ASSERT_THAT(cache.Get({OfLength(5)}), IsOk());
  EXPECT_EQ(cache.compilations(), 3);
  ASSERT_THAT(cache.Get({OfLength(6)}), IsOk());
  EXPECT_EQ(cache.compilations(), 4);
}

TEST(PlanCacheTest, LeavesADroppedPlanToThoseWhoUseIt) {
  PlanCache cache(SmallNetwork(), 1);
  const auto plan = cache.Get({OfLength(5)});
  ASSERT_THAT(plan, IsOk());
  ASSERT_THAT(cache.Get({OfLength(6)}), IsOk());
  ExecutionContext context;
  std::vector<tensor::Tensor> inputs;
  inputs.push_back(test_support::ToTensor(test_support::RandomTensor(OfLength(5), 1)));
  EXPECT_THAT(RunPlan(**plan, context, inputs, {tensor::DataType::kFloat32}), IsOk());
}

TEST(PlanCacheTest, RemembersNoShapesThatCannotBeCompiled) {
  PlanCache cache(SmallNetwork(), 2);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(cache.Get({OfLength(2)}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("does not fit")));
  }
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.compilations(), 0);
}

TEST(PlanCacheTest, CompilesOnceForThreadsThatAskAtTheSameTime) {
  PlanCache cache(SmallNetwork(), 8);
  std::vector<int> failures(4, 0);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < failures.size(); ++t) {
    threads.emplace_back([&cache, &failures, t] {
      for (int64_t length = 3; length < 9; ++length) {
        if (!cache.Get({OfLength(length)}).ok()) ++failures[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(failures, Each(0));
  EXPECT_EQ(cache.compilations(), 6);
  EXPECT_EQ(cache.size(), 6U);
}

TEST(PlanCacheTest, SurvivesEvictionWhileOthersCompile) {
  PlanCache cache(SmallNetwork(), 1);
  std::vector<int> failures(4, 0);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < failures.size(); ++t) {
    threads.emplace_back([&cache, &failures, t] {
      for (int round = 0; round < 20; ++round) {
        const int64_t length = 2 + (round + static_cast<int64_t>(t)) % 4;  // length 2 is refused
        if (cache.Get({OfLength(length)}).ok() != (length > 2)) ++failures[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(failures, Each(0));
  EXPECT_LE(cache.size(), 1U);
}

}  // namespace
}  // namespace stillwave::execution
