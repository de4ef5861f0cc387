#include "server/batching/batch_run.h"

#include <memory>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/batching/test_tasks.h"
#include "tests/support/fake_clock.h"
#include "tests/support/forwarding_runner.h"
#include "tests/support/puppet_runner.h"
#include "tests/support/status_matchers.h"

namespace stillwave::batching {
namespace {

using ::stillwave::test_support::FakeClock;
using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::PuppetRunner;
using ::stillwave::test_support::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BatchRunTest : public testing::Test {
 protected:
  WaitingTask Waiting(Request& request, absl::Time give_up = absl::InfiniteFuture()) {
    WaitingTask waiting;
    waiting.task = request.Task();
    waiting.enqueued = clock_.Now();
    waiting.give_up = give_up;
    waiting.elements = ElementsOf(waiting.task);
    return waiting;
  }
  BatchOutcome Run(std::vector<WaitingTask> tasks) {
    return RunBatch(target_, metrics::BatchReason::kIdle, clock_, context_, tasks);
  }

  FakeClock clock_;
  metrics::ServerMetrics metrics_;
  PuppetRunner runner_;
  execution::ExecutionContext context_;
  const BatchTarget target_{runner_, {}, /*max_batch_size=*/8, metrics_.ForModel("ecg", "1")};
};

TEST_F(BatchRunTest, ATaskWhoseTimeIsUpWhenTheWorkerBeginsIsNotComputed) {
  Request late(1), cancelled(2), kept(3);
  std::vector<WaitingTask> tasks;
  tasks.push_back(Waiting(late, clock_.Now()));
  tasks.push_back(Waiting(cancelled));
  tasks.push_back(Waiting(kept, clock_.Now() + absl::Nanoseconds(1)));
  cancelled.Cancel();
  const BatchOutcome outcome = Run(std::move(tasks));
  EXPECT_THAT(late.Await().status, StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("waited for a worker")));
  EXPECT_THAT(cancelled.Await().status, StatusIs(absl::StatusCode::kCancelled, HasSubstr("before it was computed")));
  EXPECT_THAT(kept.Await().status, IsOk());
  EXPECT_THAT(runner_.batch_sizes(), ElementsAre(3));
  EXPECT_EQ(outcome.answered, 3);
  EXPECT_EQ(outcome.elements, 9);
}

TEST_F(BatchRunTest, WhenNobodyIsLeftNothingIsComputed) {
  Request late(1);
  std::vector<WaitingTask> tasks;
  tasks.push_back(Waiting(late, clock_.Now()));
  const BatchOutcome outcome = Run(std::move(tasks));
  EXPECT_EQ(late.answers(), 1);
  EXPECT_EQ(outcome.answered, 1);
  EXPECT_EQ(outcome.elements, 0);
  EXPECT_THAT(runner_.batch_sizes(), IsEmpty());
}

TEST_F(BatchRunTest, WhoComesWhenAllPartsAreTakenDoesNothing) {
  Request request(/*samples=*/4, /*first=*/1, /*length=*/1);
  std::vector<WaitingTask> tasks;
  tasks.push_back(Waiting(request));
  BatchRun run(target_, metrics::BatchReason::kIdle, clock_, std::move(tasks), /*parts=*/2);
  run.Prepare();
  const BatchOutcome outcome = run.RunParts(context_);
  EXPECT_EQ(outcome.answered, 1);
  EXPECT_THAT(request.Await().outputs[1].values<float>(), ElementsAre(2, 4, 6, 8));
  EXPECT_THAT(runner_.batch_sizes(), ElementsAre(2, 2));
  execution::ExecutionContext other;
  EXPECT_EQ(run.RunParts(other).answered, 0);
  EXPECT_EQ(request.answers(), 1);
}

// Whose rows build on each other.
class Undivided final : public test_support::ForwardingRunner {
 public:
  using ForwardingRunner::ForwardingRunner;

  bool MayDivide(absl::Span<const tensor::TensorView>) const override { return false; }
};

TEST_F(BatchRunTest, RowsThatBuildOnEachOtherAreComputedByOneCall) {
  // The fixture's runner outlives it.
  const Undivided runner(std::shared_ptr<const model::BatchRunner>(std::shared_ptr<void>(), &runner_));
  Request request(/*samples=*/12, /*first=*/1, /*length=*/1);  // more than max_batch_size
  std::vector<WaitingTask> tasks;
  tasks.push_back(Waiting(request));
  BatchRun run({runner, {}, target_.max_batch_size, target_.metrics}, metrics::BatchReason::kIdle, clock_,
               std::move(tasks), /*parts=*/4);
  run.Prepare();
  EXPECT_EQ(run.RunParts(context_).answered, 1);
  EXPECT_THAT(request.Await().status, IsOk());
  EXPECT_THAT(runner_.batch_sizes(), ElementsAre(12));
}

TEST_F(BatchRunTest, AHelperMayLeaveAfterAnyPart) {
  Request request(/*samples=*/6, /*first=*/1, /*length=*/1);
  std::vector<WaitingTask> tasks;
  tasks.push_back(Waiting(request));
  BatchRun run(target_, metrics::BatchReason::kIdle, clock_, std::move(tasks), /*parts=*/3);
  run.Prepare();
  EXPECT_EQ(run.parts_left(), 3);
  const BatchOutcome helped = run.RunParts(context_, [] { return false; });
  EXPECT_EQ(helped.answered, 0);
  EXPECT_EQ(run.parts_left(), 2);
  EXPECT_EQ(run.RunParts(context_).answered, 1);
  EXPECT_THAT(request.Await().outputs[1].values<float>(), ElementsAre(2, 4, 6, 8, 10, 12));
}

TEST_F(BatchRunTest, WhatFailedTeachesNothingAboutTime) {
  runner_.Answer(absl::InternalError("a broken invariant"));
  Request request(1);
  std::vector<WaitingTask> tasks;
  tasks.push_back(Waiting(request));
  EXPECT_EQ(Run(std::move(tasks)).elements, 0);
  EXPECT_THAT(request.Await().status, StatusIs(absl::StatusCode::kInternal, HasSubstr("a broken invariant")));
}

}  // namespace
}  // namespace stillwave::batching
