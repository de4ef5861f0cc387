#include "server/service/request_budget.h"

#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace stillwave::service {
namespace {

using test_support::IsOk;
using test_support::StatusIs;
using testing::HasSubstr;

TEST(RequestBudgetTest, RefusesWhatWouldBeTooMuchAndTakesItLater) {
  RequestBudget budget(100);
  auto first = budget.Take(60);
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT(budget.Take(41), StatusIs(absl::StatusCode::kResourceExhausted,
                                        HasSubstr("at most 100 bytes in all (--max_request_megabytes); they have 60")));
  EXPECT_THAT(budget.Take(40), IsOk());  // and gives it back
  first->Release();
  EXPECT_EQ(budget.held_bytes(), 0);
  EXPECT_THAT(budget.Take(100), IsOk());
}

TEST(RequestBudgetTest, AShareIsGivenBackOnce) {
  RequestBudget budget(100);
  {
    RequestBudget::Share kept;
    {
      auto share = budget.Take(30);
      kept = *std::move(share);
    }
    EXPECT_EQ(budget.held_bytes(), 30);
    RequestBudget::Share moved(std::move(kept));
    EXPECT_EQ(budget.held_bytes(), 30);
    moved = RequestBudget::Share();
    EXPECT_EQ(budget.held_bytes(), 0);
    moved.Release();
  }
  EXPECT_EQ(budget.held_bytes(), 0);
}

TEST(RequestBudgetTest, IsNeverExceededByManyThreads) {
  RequestBudget budget(10);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&budget] {
      for (int i = 0; i < 5000; ++i) {
        const auto share = budget.Take(4);
        const int64_t held = budget.held_bytes();
        EXPECT_LE(held, 8);  // two shares fit
        EXPECT_GE(held, share.ok() ? 4 : 0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget.held_bytes(), 0);
}

}  // namespace
}  // namespace stillwave::service
