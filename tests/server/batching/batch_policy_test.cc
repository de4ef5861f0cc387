#include "server/batching/batch_policy.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::batching {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1000);

QueueSnapshot Waiting(int64_t samples, uint64_t last_service = 0, absl::Duration virtual_time = absl::Seconds(1)) {
  QueueSnapshot queue;
  queue.waiting_samples = samples;
  queue.last_service = last_service;
  queue.virtual_time = absl::ToInt64Nanoseconds(virtual_time);
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

TEST(BatchPolicyTest, TheQueueThatGotTheLeastComputeTimeComesFirst) {
  const QueueSnapshot slow = Waiting(1, /*last_service=*/1, absl::Milliseconds(50));
  const QueueSnapshot fast = Waiting(1, /*last_service=*/900, absl::Milliseconds(9));
  EXPECT_THAT(Decide({slow, fast}, kNow, 1), Dispatches(1)) << "however often it was served";
}

TEST(BatchPolicyTest, OfEqualsTheQueueServedLeastRecentlyComesFirst) {
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
  late.next_timer = kNow;
  EXPECT_THAT(Decide({Waiting(1, 1), late}, kNow, 1), Expires(1));
  EXPECT_THAT(Decide({Waiting(1, 1), late}, kNow, 0), Expires(1));
}

TEST(BatchPolicyTest, WaitsForTheEarliestDeadline) {
  QueueSnapshot soon = Waiting(1), later = Waiting(1);
  soon.next_timer = kNow + absl::Seconds(1);
  later.next_timer = kNow + absl::Seconds(2);
  EXPECT_THAT(Decide({later, soon}, kNow, 0), WaitsUntil(kNow + absl::Seconds(1)));
}

QueueSnapshot Delaying(int64_t samples) {
  QueueSnapshot queue = Waiting(samples);
  queue.oldest = kNow;
  queue.max_delay = absl::Milliseconds(5);
  queue.enough_samples = 8;
  return queue;
}

TEST(BatchPolicyTest, AQueueWithADelayWaitsForCompanyUntilThereIsEnough) {
  EXPECT_THAT(Decide({Delaying(7)}, kNow, 1), WaitsUntil(kNow + absl::Milliseconds(5)));
  EXPECT_THAT(Decide({Delaying(8)}, kNow, 1), Dispatches(0));
  EXPECT_THAT(Decide({Delaying(7)}, kNow + absl::Milliseconds(5), 1), Dispatches(0));
}

TEST(BatchPolicyTest, AQueueThatWaitsForCompanyHoldsNobodyUp) {
  EXPECT_THAT(Decide({Delaying(7), Waiting(1, 5, absl::Hours(1))}, kNow, 1), Dispatches(1));
}

TEST(BatchPolicyTest, ADelayEndsInTimeToComputeBeforeTheDeadline) {
  QueueSnapshot queue = Delaying(7);
  queue.next_timer = kNow + absl::Milliseconds(4);
  queue.lead = absl::Milliseconds(1);
  EXPECT_THAT(Decide({queue}, kNow, 1), WaitsUntil(kNow + absl::Milliseconds(3)));
  EXPECT_THAT(Decide({queue}, kNow + absl::Milliseconds(3), 1), Dispatches(0));
}

TEST(BatchPolicyTest, WithoutAnIdleWorkerADelayIsNothingToWakeUpFor) {
  EXPECT_THAT(Decide({Delaying(7)}, kNow, 0), WaitsUntil(absl::InfiniteFuture()));
}

TEST(HelpersForTest, AreTheIdleOnesThatHaveAPartWorthTheirWaking) {
  constexpr absl::Duration kPart = absl::Microseconds(100);
  const auto helpers = [&](int64_t samples, absl::Duration expected, int idle) {
    return HelpersFor(samples, expected, kPart, idle, /*running_batches=*/1, /*max_running_batches=*/0);
  };
  EXPECT_EQ(helpers(32, absl::Milliseconds(1), 3), 3);
  EXPECT_EQ(helpers(32, absl::Milliseconds(1), 0), 0);
  EXPECT_EQ(helpers(2, absl::Milliseconds(1), 3), 1) << "a sample is not split";
  EXPECT_EQ(helpers(32, absl::Microseconds(250), 3), 1) << "two parts of 100 µs or more";
  EXPECT_EQ(helpers(32, absl::Microseconds(199), 3), 0);
  EXPECT_EQ(helpers(32, absl::ZeroDuration(), 3), 0) << "nothing is known";
}

TEST(HelpersForTest, AreNoMoreThanTheModelsInstances) {
  const auto helpers = [](int running, int max_running) {
    return HelpersFor(32, absl::Seconds(1), absl::Microseconds(1), /*idle_workers=*/7, running, max_running);
  };
  EXPECT_EQ(helpers(1, 0), 7);
  EXPECT_EQ(helpers(1, 3), 2);
  EXPECT_EQ(helpers(3, 3), 0);
}

TEST(HelpersForTest, WithoutALeastPartEverySampleMayBeOne) {
  EXPECT_EQ(HelpersFor(4, absl::ZeroDuration(), absl::ZeroDuration(), 7, 1, 0), 3);
}

TEST(RunsOnCallerTest, WhatIsKnownToBeShort) {
  EXPECT_TRUE(RunsOnCaller(absl::Microseconds(60), absl::Microseconds(100)));
  EXPECT_FALSE(RunsOnCaller(absl::Microseconds(160), absl::Microseconds(100)));
  EXPECT_FALSE(RunsOnCaller(absl::ZeroDuration(), absl::Microseconds(100))) << "nothing is known";
  EXPECT_FALSE(RunsOnCaller(absl::Microseconds(60), absl::ZeroDuration())) << "switched off";
}

}  // namespace
}  // namespace stillwave::batching
