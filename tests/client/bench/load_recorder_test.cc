#include "client/bench/load_recorder.h"

#include <gtest/gtest.h>

namespace stillwave::client::bench {
namespace {

constexpr Tick kMilli = 1'000'000;
constexpr Tick kSecond = 1'000'000'000;
constexpr Tick kStart = 5 * kSecond;

// 1 s of warm-up, 2 s measured: ticks 6 s to 8 s.
LoadOptions ByTime() { return {.concurrency = 1, .warmup = absl::Seconds(1), .duration = absl::Seconds(2)}; }

TEST(LoadPlan, GoesThroughWarmUpAndMeasuredTime) {
  LoadPlan plan(ByTime(), kStart);
  EXPECT_EQ(plan.Take(kStart), Ticket::kWarmUp);
  EXPECT_EQ(plan.Take(kStart + kSecond - 1), Ticket::kWarmUp);
  EXPECT_EQ(plan.Take(kStart + kSecond), Ticket::kMeasured);
  EXPECT_EQ(plan.Take(kStart + 3 * kSecond - 1), Ticket::kMeasured);
  EXPECT_EQ(plan.Take(kStart + 3 * kSecond), Ticket::kOver);
}

TEST(LoadPlan, HandsOutAsManyTicketsAsRequests) {
  LoadOptions options = ByTime();
  options.requests = 2;
  LoadPlan plan(options, kStart);
  EXPECT_EQ(plan.Take(kStart), Ticket::kWarmUp);
  EXPECT_EQ(plan.Take(kStart + kSecond), Ticket::kMeasured);
  EXPECT_EQ(plan.Take(kStart + 100 * kSecond), Ticket::kMeasured);
  EXPECT_EQ(plan.Take(kStart + 100 * kSecond), Ticket::kOver);
}

TEST(LoadPlan, IsOverWhenInterrupted) {
  LoadPlan plan(ByTime(), kStart);
  plan.Interrupt();
  EXPECT_EQ(plan.Take(kStart + kSecond), Ticket::kOver);
}

class Recorder : public testing::Test {
 protected:
  // Sent at `due` and answered `latency` later.
  void Answer(Tick due, Tick latency, absl::StatusCode code = absl::StatusCode::kOk, const char* message = "") {
    const PendingRequest request{plan_.Take(due), due};
    recorder_.Sent(request);
    recorder_.Answered(request, due + latency, code, message);
  }

  LoadPlan plan_{ByTime(), kStart};
  LoadRecorder recorder_{&plan_};
};

TEST(LateAnswers, AreOkOnesOfTheMeasuredTimeBeyondTheDeadline) {
  LoadPlan plan(ByTime(), kStart);
  LoadRecorder recorder(&plan, absl::Milliseconds(5));
  const auto answer = [&](Tick due, Tick latency, absl::StatusCode code) {
    const PendingRequest request{plan.Take(due), due};
    recorder.Sent(request);
    recorder.Answered(request, due + latency, code, "");
  };
  answer(kStart, 9 * kMilli, absl::StatusCode::kOk);  // warm-up
  answer(kStart + kSecond, 5 * kMilli, absl::StatusCode::kOk);
  answer(kStart + kSecond, 5 * kMilli + 1, absl::StatusCode::kOk);
  answer(kStart + kSecond, 9 * kMilli, absl::StatusCode::kUnavailable);
  LoadResult result = recorder.Finish();
  EXPECT_EQ(result.late, 1);
  result.Merge(result);
  EXPECT_EQ(result.late, 2);
}

TEST_F(Recorder, CountsWhatWasSentInTheMeasuredTime) {
  Answer(kStart, 10 * kMilli);
  Answer(kStart + kSecond, 3 * kMilli);
  Answer(kStart + 2 * kSecond, 5 * kMilli);
  Answer(kStart + 2 * kSecond, kMilli, absl::StatusCode::kResourceExhausted, "the queue is full");
  Answer(kStart + 2 * kSecond, 2 * kMilli, absl::StatusCode::kResourceExhausted, "still full");
  const LoadResult result = recorder_.Finish();
  EXPECT_EQ(result.sent, 4);
  EXPECT_EQ(result.ok(), 2);
  EXPECT_EQ(result.errors(), 2);
  EXPECT_EQ(result.latency.Max(), absl::Milliseconds(5));
  EXPECT_EQ(result.measured, absl::Seconds(2));
  EXPECT_EQ(result.goodput(), 1);
  EXPECT_EQ(result.throughput(), 2);
  ASSERT_EQ(result.groups.size(), 1u);
  EXPECT_EQ(result.groups.begin()->second.message, "the queue is full");
  EXPECT_EQ(result.RefusalLatency().count(), 2);
  EXPECT_EQ(recorder_.ok_so_far(), 3);
  EXPECT_EQ(recorder_.errors_so_far(), 2);
}

// A latency belongs to the request, a rate to the time: otherwise a backlog would add to the rate, or take from it.
TEST_F(Recorder, RatesAreOfWhatArrivedInTheMeasuredTime) {
  Answer(kStart + kSecond - kMilli, 2 * kMilli);      // sent in the warm-up, answered after it
  Answer(kStart + 3 * kSecond - kMilli, 2 * kMilli);  // answered when the time was over
  const LoadResult result = recorder_.Finish();
  EXPECT_EQ(result.sent, 1);
  EXPECT_EQ(result.ok(), 1);
  EXPECT_EQ(result.ok_in_time, 1);
}

TEST_F(Recorder, TheTimelineTellsWhenAnswersCame) {
  Answer(kStart + kSecond + 10 * kMilli, 20 * kMilli);
  Answer(kStart + kSecond + 150 * kMilli, 100 * kMilli, absl::StatusCode::kUnavailable);
  const LoadResult result = recorder_.Finish();
  EXPECT_EQ(result.timeline_step, absl::Milliseconds(100));
  ASSERT_EQ(result.timeline.size(), 3u);
  EXPECT_EQ(result.timeline[0].ok, 1);
  EXPECT_EQ(result.timeline[0].longest, absl::Milliseconds(20));
  EXPECT_EQ(result.timeline[1].ok + result.timeline[1].errors, 0);
  EXPECT_EQ(result.timeline[2].errors, 1);
}

TEST_F(Recorder, AnInterruptedStepEndsWithItsLastAnswer) {
  Answer(kStart + kSecond, 500 * kMilli);
  const PendingRequest given_up{Ticket::kMeasured, kStart + kSecond + 400 * kMilli};
  recorder_.Sent(given_up);
  plan_.Interrupt();
  recorder_.Abandoned(given_up);
  const LoadResult result = recorder_.Finish();
  EXPECT_EQ(result.measured, absl::Milliseconds(500));
  EXPECT_EQ(result.sent, 2);
  EXPECT_EQ(result.ok() + result.errors() + result.abandoned, 2);
  EXPECT_EQ(result.goodput(), 2);
}

TEST_F(Recorder, WhatCouldNotBeSentIsNotSent) {
  recorder_.NotSent({Ticket::kMeasured, kStart + kSecond});
  recorder_.NotSent({Ticket::kWarmUp, kStart});
  const LoadResult result = recorder_.Finish();
  EXPECT_EQ(result.unsent, 1);
  EXPECT_EQ(result.sent, 0);
}

TEST_F(Recorder, ResultsOfThreadsAddUp) {
  LoadRecorder other(&plan_);
  Answer(kStart + kSecond, kMilli);
  const PendingRequest request{Ticket::kMeasured, kStart + kSecond};
  other.Sent(request);
  other.SentLate(request, absl::Milliseconds(7));
  other.Answered(request, kStart + kSecond + 300 * kMilli, absl::StatusCode::kUnavailable, "gone");
  LoadResult result = recorder_.Finish();
  result.Merge(other.Finish());
  EXPECT_EQ(result.sent, 2);
  EXPECT_EQ(result.ok(), 1);
  EXPECT_EQ(result.errors(), 1);
  EXPECT_EQ(result.groups[absl::StatusCode::kUnavailable].message, "gone");
  EXPECT_EQ(result.send_delay.Max(), absl::Milliseconds(7));
  EXPECT_EQ(result.measured, absl::Seconds(2));
  ASSERT_EQ(result.timeline.size(), 4u);
  EXPECT_EQ(result.timeline[0].ok, 1);
  EXPECT_EQ(result.timeline[3].errors, 1);
}

}  // namespace
}  // namespace stillwave::client::bench
