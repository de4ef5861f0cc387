#include "server/batching/batch_policy.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::batching {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1000);

QueueSnapshot Waiting(int64_t samples, uint64_t last_service = 0) {
  QueueSnapshot queue;
  queue.waiting_samples = samples;
  queue.last_service = last_service;
  return queue;
}

MATCHER_P(Dispatches, index, "") {
  const auto* dispatch = std::get_if<Dispatch>(&arg);
  return dispatch != nullptr && dispatch->index == static_cast<size_t>(index);
}
MATCHER_P(Expires, index, "") {
  const auto* expire = std::get_if<Expire>(&arg);
  return expire != nullptr && expire->index == static_cast<size_t>(index);
}
MATCHER_P(WaitsUntil, time, "") {
  const auto* wait = std::get_if<Wait>(&arg);
  return wait != nullptr && wait->until == time;
}

TEST(BatchPolicyTest, WaitsForEverWhenNothingIsThere) {
  EXPECT_THAT(Decide({}, kNow, /*idle_workers=*/1), WaitsUntil(absl::InfiniteFuture()));
  EXPECT_THAT(Decide({Waiting(0)}, kNow, /*idle_workers=*/1), WaitsUntil(absl::InfiniteFuture()));
}

TEST(BatchPolicyTest, AnIdleWorkerTakesASingleSampleAtOnce) {
  EXPECT_THAT(Decide({Waiting(1)}, kNow, /*idle_workers=*/1), Dispatches(0));
}

TEST(BatchPolicyTest, WithoutAnIdleWorkerNothingIsDispatched) {
  EXPECT_THAT(Decide({Waiting(100)}, kNow, /*idle_workers=*/0), WaitsUntil(absl::InfiniteFuture()));
}

TEST(BatchPolicyTest, TheQueueServedLeastRecentlyComesFirst) {
  EXPECT_THAT(Decide({Waiting(50, 7), Waiting(1, 3), Waiting(9, 5)}, kNow, 1), Dispatches(1));
  EXPECT_THAT(Decide({Waiting(0, 1), Waiting(1, 3)}, kNow, 1), Dispatches(1));
}

TEST(BatchPolicyTest, AQueueAtItsLimitOfRunningBatchesIsPassedOver) {
  QueueSnapshot limited = Waiting(1, 1);
  limited.max_running_batches = 2;
  limited.running_batches = 2;
  EXPECT_THAT(Decide({limited, Waiting(1, 9)}, kNow, 1), Dispatches(1));
  limited.running_batches = 1;
  EXPECT_THAT(Decide({limited, Waiting(1, 9)}, kNow, 1), Dispatches(0));
}

TEST(BatchPolicyTest, ADeadlineThatHasPassedComesBeforeAnyBatch) {
  QueueSnapshot late = Waiting(1, 9);
  late.earliest_deadline = kNow;
  EXPECT_THAT(Decide({Waiting(1, 1), late}, kNow, 1), Expires(1));
  EXPECT_THAT(Decide({Waiting(1, 1), late}, kNow, 0), Expires(1));
}

TEST(BatchPolicyTest, WaitsForTheEarliestDeadline) {
  QueueSnapshot soon = Waiting(1), later = Waiting(1);
  soon.earliest_deadline = kNow + absl::Seconds(1);
  later.earliest_deadline = kNow + absl::Seconds(2);
  EXPECT_THAT(Decide({later, soon}, kNow, 0), WaitsUntil(kNow + absl::Seconds(1)));
}

}  // namespace
}  // namespace stillwave::batching
