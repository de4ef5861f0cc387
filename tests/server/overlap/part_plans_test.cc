#include "server/overlap/part_plans.h"

#include <atomic>
#include <thread>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace stillwave::overlap {
namespace {

using test_support::IsOk;
using test_support::StatusIs;

PartPlans::PlanPtr EmptyPlan() {
  return std::make_shared<const execution::ExecutionPlan>(execution::ExecutionPlan::Parts{});
}

TEST(PartPlans, WhoNeedsAnotherPlanDoesNotWaitForOneThatIsCompiled) {
  PartPlans plans;
  absl::Notification began;
  absl::Notification may_end;
  std::atomic<int> compiled{0};
  const auto slow = [&]() -> absl::StatusOr<PartPlans::PlanPtr> {
    began.Notify();
    may_end.WaitForNotification();
    ++compiled;
    return EmptyPlan();
  };
  PartPlans::PlanPtr first;
  PartPlans::PlanPtr second;
  std::thread compiles([&] { first = *plans.Get({0, 1, 16}, slow); });
  began.WaitForNotification();
  // Would wait for ever if it waited for the slow one.
  EXPECT_THAT(plans.Get({0, 2, 16}, [] { return absl::StatusOr<PartPlans::PlanPtr>(EmptyPlan()); }), IsOk());
  // One that needs the same gets it, and does not compile: `began` may be notified once.
  std::thread waits([&] { second = *plans.Get({0, 1, 16}, slow); });
  may_end.Notify();
  compiles.join();
  waits.join();
  EXPECT_EQ(compiled, 1);
  EXPECT_EQ(first, second);
}

TEST(PartPlans, WhatCouldNotBeCompiledIsTriedAgain) {
  PartPlans plans;
  EXPECT_THAT(
      plans.Get({0, 1, 16}, [] { return absl::StatusOr<PartPlans::PlanPtr>(absl::InternalError("full")); }).status(),
      StatusIs(absl::StatusCode::kInternal, testing::HasSubstr("full")));
  EXPECT_THAT(plans.Get({0, 1, 16}, [] { return absl::StatusOr<PartPlans::PlanPtr>(EmptyPlan()); }), IsOk());
}

}  // namespace
}  // namespace stillwave::overlap
