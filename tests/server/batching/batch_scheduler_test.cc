#include "server/batching/batch_scheduler.h"

#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/batching/test_tasks.h"
#include "tests/support/fake_clock.h"
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

class BatchSchedulerTest : public testing::Test {
 protected:
  ~BatchSchedulerTest() override {
    for (const auto& runner : runners_) runner->LetAllGo();
  }

  void Start(int workers) {
    BatchScheduler::Options options;
    options.workers = workers;
    options.clock = &clock_;
    scheduler_ = std::make_unique<BatchScheduler>(options);
  }

  struct Model {
    std::shared_ptr<PuppetRunner> runner;
    std::shared_ptr<ModelQueue> queue;
    const metrics::ModelMetrics* metrics;
  };
  Model AddModel(const std::string& name, int64_t max_batch_size = 8, int64_t max_queue_samples = 100,
                 int max_running_batches = 0) {
    Model model{std::make_shared<PuppetRunner>(), nullptr, &metrics_.ForModel(name, "1")};
    runners_.push_back(model.runner);
    ModelQueueOptions options;
    options.name = name;
    options.max_batch_size = max_batch_size;
    options.max_queue_samples = max_queue_samples;
    options.max_running_batches = max_running_batches;
    model.queue = *scheduler_->AddModel(model.runner, options, model.metrics);
    return model;
  }

  // The only worker is inside of `model`'s runner afterwards.
  void Occupy(const Model& model) {
    model.runner->Hold();
    ASSERT_THAT(model.queue->Submit(occupant_.Task()), IsOk());
    model.runner->AwaitCalls(1);
  }

  double Count(const Model& model, metrics::BatchReason reason) {
    return model.metrics->batches[static_cast<size_t>(reason)]->Value();
  }
  double Count(const Model& model, metrics::Rejection reason) {
    return model.metrics->rejections[static_cast<size_t>(reason)]->Value();
  }

  FakeClock clock_;
  metrics::ServerMetrics metrics_;
  std::vector<std::shared_ptr<PuppetRunner>> runners_;
  Request occupant_{/*samples=*/1};
  std::unique_ptr<BatchScheduler> scheduler_;
};

TEST_F(BatchSchedulerTest, AnIdleWorkerRunsARequestAtOnce) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg");
  Request request(/*samples=*/2, /*first=*/1, /*length=*/3);
  ASSERT_THAT(model.queue->Submit(request.Task()), IsOk());
  const InferenceResult& result = request.Await();
  ASSERT_THAT(result.status, IsOk());
  ASSERT_EQ(result.outputs.size(), 2u);
  EXPECT_THAT(result.outputs[0].values<float>(), ElementsAre(1 + 2 + 3, 1, 4 + 5 + 6, 4));
  EXPECT_THAT(result.outputs[1].values<float>(), ElementsAre(2, 4, 6, 8, 10, 12));
  EXPECT_THAT(model.runner->batch_sizes(), ElementsAre(2));
  EXPECT_EQ(Count(model, metrics::BatchReason::kIdle), 1);
}

TEST_F(BatchSchedulerTest, AFreedWorkerTakesWhatWaitedAsOneBatchAndSplitsIt) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg", /*max_batch_size=*/8);
  Occupy(model);
  Request a(1, 10), b(2, 20), c(3, 30);
  for (Request* request : {&a, &b, &c}) ASSERT_THAT(model.queue->Submit(request->Task()), IsOk());
  EXPECT_EQ(model.queue->waiting_samples(), 6);
  EXPECT_EQ(model.metrics->queue_samples->Value(), 6);
  model.runner->LetAllGo();
  EXPECT_THAT(a.Await().outputs[0].values<float>(), ElementsAre(33, 10));
  EXPECT_THAT(b.Await().outputs[0].values<float>(), ElementsAre(63, 20, 72, 23));
  EXPECT_THAT(c.Await().outputs[0].values<float>(), ElementsAre(93, 30, 102, 33, 111, 36));
  EXPECT_THAT(model.runner->batch_sizes(), ElementsAre(1, 6));
  EXPECT_EQ(model.metrics->queue_samples->Value(), 0);
}

TEST_F(BatchSchedulerTest, ABatchStopsAtItsLimit) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg", /*max_batch_size=*/4);
  Occupy(model);
  std::deque<Request> requests;
  for (int i = 0; i < 6; ++i) {
    requests.emplace_back(/*samples=*/1);
    ASSERT_THAT(model.queue->Submit(requests.back().Task()), IsOk());
  }
  model.runner->LetAllGo();
  for (Request& request : requests) EXPECT_THAT(request.Await().status, IsOk());
  EXPECT_THAT(model.runner->batch_sizes(), ElementsAre(1, 4, 2));
  EXPECT_EQ(Count(model, metrics::BatchReason::kFull), 1);
  EXPECT_EQ(Count(model, metrics::BatchReason::kIdle), 2);
}

TEST_F(BatchSchedulerTest, ATaskLargerThanABatchIsRunInPartsAndAnsweredAsOne) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg", /*max_batch_size=*/2);
  Request request(/*samples=*/5, /*first=*/1, /*length=*/1);
  ASSERT_THAT(model.queue->Submit(request.Task()), IsOk());
  EXPECT_THAT(request.Await().outputs[1].values<float>(), ElementsAre(2, 4, 6, 8, 10));
  EXPECT_THAT(model.runner->batch_sizes(), ElementsAre(2, 2, 1));
}

TEST_F(BatchSchedulerTest, AFullQueueRefusesAtOnceAndSaysItsLimit) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg", /*max_batch_size=*/8, /*max_queue_samples=*/4);
  Occupy(model);
  Request a(3), too_much(2), b(1);
  ASSERT_THAT(model.queue->Submit(a.Task()), IsOk());
  EXPECT_THAT(model.queue->Submit(too_much.Task()),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("queue of model 'ecg' is full: limit 4 samples, 3 waiting")));
  EXPECT_THAT(model.queue->Submit(b.Task()), IsOk());
  EXPECT_EQ(Count(model, metrics::Rejection::kQueueFull), 1);
  model.runner->LetAllGo();
  EXPECT_THAT(b.Await().status, IsOk());
  EXPECT_EQ(too_much.answers(), 0);
}

TEST_F(BatchSchedulerTest, ARefusedTaskIsLeftToTheOneWhoTriesAgain) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg", /*max_batch_size=*/1, /*max_queue_samples=*/1);
  Occupy(model);
  Request waiting(1), late(1);
  ASSERT_THAT(model.queue->Submit(waiting.Task()), IsOk());
  InferenceTask task = late.Task();
  ASSERT_THAT(model.queue->TrySubmit(task), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("full")));
  EXPECT_EQ(Count(model, metrics::Rejection::kQueueFull), 0);
  absl::Notification space;
  model.queue->WhenSpaceFrees(/*samples=*/1, [&] { space.Notify(); });
  EXPECT_FALSE(space.HasBeenNotified());
  model.runner->LetOneGo();
  space.WaitForNotification();
  EXPECT_THAT(model.queue->TrySubmit(task), IsOk());
  model.runner->LetAllGo();
  EXPECT_THAT(late.Await().status, IsOk());
}

TEST_F(BatchSchedulerTest, WhoAsksForSpaceThatIsThereIsCalledAtOnce) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg");
  bool called = false;
  model.queue->WhenSpaceFrees(/*samples=*/1, [&] { called = true; });
  EXPECT_TRUE(called);
}

TEST_F(BatchSchedulerTest, AWaitingTaskWhoseDeadlinePassesIsAnsweredWhileTheWorkerIsBusy) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg");
  Occupy(model);
  Request hurried(1), patient(1);
  ASSERT_THAT(model.queue->Submit(hurried.Task(clock_.Now() + absl::Seconds(5))), IsOk());
  ASSERT_THAT(model.queue->Submit(patient.Task(clock_.Now() + absl::Seconds(60))), IsOk());
  scheduler_->ExpireOverdue();
  EXPECT_EQ(hurried.answers(), 0);
  clock_.Advance(absl::Seconds(5));
  scheduler_->ExpireOverdue();
  const InferenceResult& result = hurried.Await();
  EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("waited for a worker")));
  EXPECT_EQ(result.queue_duration, absl::Seconds(5));
  EXPECT_EQ(Count(model, metrics::Rejection::kDeadline), 1);
  model.runner->LetAllGo();
  EXPECT_THAT(patient.Await().status, IsOk());
  EXPECT_THAT(model.runner->batch_sizes(), ElementsAre(1, 1));
}

TEST_F(BatchSchedulerTest, TheDeadlineThreadNeedsNobodyToWakeIt) {
  BatchScheduler::Options options;
  options.workers = 1;
  scheduler_ = std::make_unique<BatchScheduler>(options);  // by the real clock
  const Model model = AddModel("ecg");
  Occupy(model);
  Request later(1), sooner(1);
  ASSERT_THAT(model.queue->Submit(later.Task(absl::Now() + absl::Milliseconds(20))), IsOk());
  ASSERT_THAT(model.queue->Submit(sooner.Task(absl::Now() + absl::Milliseconds(10))), IsOk());
  EXPECT_THAT(sooner.Await().status, StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("deadline")));
  EXPECT_THAT(later.Await().status, StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("deadline")));
}

TEST_F(BatchSchedulerTest, ADeadlineInThePastIsRefused) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg");
  Request request(1);
  EXPECT_THAT(model.queue->Submit(request.Task(clock_.Now())),
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("before the request was queued")));
  EXPECT_EQ(Count(model, metrics::Rejection::kDeadline), 1);
}

TEST_F(BatchSchedulerTest, ACancelledTaskIsAnsweredAndNotComputed) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg");
  Occupy(model);
  Request cancelled(2), kept(3);
  ASSERT_THAT(model.queue->Submit(cancelled.Task()), IsOk());
  ASSERT_THAT(model.queue->Submit(kept.Task()), IsOk());
  cancelled.Cancel();
  model.runner->LetAllGo();
  EXPECT_THAT(cancelled.Await().status, StatusIs(absl::StatusCode::kCancelled, HasSubstr("before it was computed")));
  EXPECT_THAT(kept.Await().status, IsOk());
  EXPECT_THAT(model.runner->batch_sizes(), ElementsAre(1, 3));
  EXPECT_EQ(Count(model, metrics::Rejection::kCancelled), 1);
}

TEST_F(BatchSchedulerTest, ABatchOfCancelledTasksIsNotRunAtAll) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg");
  Occupy(model);
  Request cancelled(2);
  ASSERT_THAT(model.queue->Submit(cancelled.Task()), IsOk());
  cancelled.Cancel();
  model.runner->LetAllGo();
  EXPECT_THAT(cancelled.Await().status, StatusIs(absl::StatusCode::kCancelled, HasSubstr("cancelled")));
  scheduler_->Drain();
  EXPECT_THAT(model.runner->batch_sizes(), ElementsAre(1));
}

TEST_F(BatchSchedulerTest, ModelsTakeTurnsHoweverMuchOneOfThemHas) {
  Start(/*workers=*/1);
  const Model busy = AddModel("busy", /*max_batch_size=*/1), quiet = AddModel("quiet", /*max_batch_size=*/1);
  Occupy(busy);
  absl::Mutex mutex;
  std::string order;
  std::deque<Request> requests;
  const auto submit = [&](const Model& model, char name) {
    InferenceTask task = requests.emplace_back(/*samples=*/1).Task();
    task.done = [&mutex, &order, name, done = std::move(task.done)](InferenceResult result) mutable {
      {
        absl::MutexLock lock(&mutex);
        order += name;
      }
      done(std::move(result));
    };
    ASSERT_THAT(model.queue->Submit(std::move(task)), IsOk());
  };
  for (int i = 0; i < 4; ++i) submit(busy, 'b');
  for (int i = 0; i < 2; ++i) submit(quiet, 'q');
  busy.runner->LetAllGo();
  for (Request& request : requests) request.Await();
  absl::MutexLock lock(&mutex);
  EXPECT_EQ(order, "qbqbbb");
}

TEST_F(BatchSchedulerTest, AModelRunsNoMoreBatchesAtATimeThanItsInstances) {
  Start(/*workers=*/2);
  const Model limited = AddModel("limited", /*max_batch_size=*/1, /*max_queue_samples=*/100,
                                 /*max_running_batches=*/1);
  const Model other = AddModel("other");
  limited.runner->Hold();
  Request first(1), second(1), third(1);
  ASSERT_THAT(limited.queue->Submit(first.Task()), IsOk());
  limited.runner->AwaitCalls(1);
  ASSERT_THAT(limited.queue->Submit(second.Task()), IsOk());
  // The other worker is free, and takes what comes for another model.
  ASSERT_THAT(other.queue->Submit(third.Task()), IsOk());
  EXPECT_THAT(third.Await().status, IsOk());
  EXPECT_THAT(limited.runner->batch_sizes(), ElementsAre(1));
  limited.runner->LetAllGo();
  EXPECT_THAT(second.Await().status, IsOk());
}

TEST_F(BatchSchedulerTest, WorkersRunBatchesOfOneModelAtTheSameTime) {
  Start(/*workers=*/2);
  const Model model = AddModel("ecg");
  model.runner->Hold();
  Request a(1), b(1);
  ASSERT_THAT(model.queue->Submit(a.Task()), IsOk());
  model.runner->AwaitCalls(1);
  ASSERT_THAT(model.queue->Submit(b.Task()), IsOk());
  model.runner->AwaitCalls(2);
  model.runner->LetAllGo();
  EXPECT_THAT(a.Await().status, IsOk());
  EXPECT_THAT(b.Await().status, IsOk());
}

TEST_F(BatchSchedulerTest, WhatTheRunnerAnswersReachesEveryTaskOfTheBatch) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg");
  Occupy(model);
  Request a(1), b(1);
  ASSERT_THAT(model.queue->Submit(a.Task()), IsOk());
  ASSERT_THAT(model.queue->Submit(b.Task()), IsOk());
  model.runner->Answer(absl::InternalError("a broken invariant"));
  model.runner->LetAllGo();
  EXPECT_THAT(a.Await().status, StatusIs(absl::StatusCode::kInternal, HasSubstr("a broken invariant")));
  EXPECT_THAT(b.Await().status, StatusIs(absl::StatusCode::kInternal, HasSubstr("a broken invariant")));
  EXPECT_EQ(a.Await().outputs.size(), 0u);
}

TEST_F(BatchSchedulerTest, AShapeThatTheNetworkCannotTakeIsAnswered) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg");
  model.runner->RefuseShapes(absl::InvalidArgumentError("conv1 needs 7 time steps"));
  Request request(1);
  ASSERT_THAT(model.queue->Submit(request.Task()), IsOk());
  EXPECT_THAT(request.Await().status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("conv1")));
}

TEST_F(BatchSchedulerTest, OutputsHaveTheTypesThatTheOptionsName) {
  Start(/*workers=*/1);
  ModelQueueOptions options;
  options.name = "typed";
  options.output_types = {tensor::DataType::kInt32, tensor::DataType::kFloat64};
  class Recorder final : public model::BatchRunner {
   public:
    absl::Status Run(execution::ExecutionContext&, absl::Span<const tensor::TensorView>,
                     absl::Span<const tensor::MutableTensorView> outputs) const override {
      outputs[0].values<int32_t>()[0] = 7;
      outputs[1].values<double>()[0] = 0.5;
      return absl::OkStatus();
    }
    absl::StatusOr<std::vector<tensor::Shape>> OutputShapes(absl::Span<const tensor::Shape>) const override {
      return std::vector<tensor::Shape>{{1}, {1, 1}};
    }
  };
  const auto queue = *scheduler_->AddModel(std::make_shared<Recorder>(), options, &metrics_.ForModel("typed", "1"));
  Request request(1);
  ASSERT_THAT(queue->Submit(request.Task()), IsOk());
  EXPECT_THAT(request.Await().outputs[0].values<int32_t>(), ElementsAre(7));
  EXPECT_THAT(request.Await().outputs[1].values<double>(), ElementsAre(0.5));
}

TEST_F(BatchSchedulerTest, DrainFinishesWhatWasAcceptedAndRefusesTheRest) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg", /*max_batch_size=*/1, /*max_queue_samples=*/2);
  Occupy(model);
  Request a(1), b(1), late(1);
  ASSERT_THAT(model.queue->Submit(a.Task()), IsOk());
  ASSERT_THAT(model.queue->Submit(b.Task()), IsOk());
  absl::Notification told;
  model.queue->WhenSpaceFrees(1, [&] { told.Notify(); });
  std::thread drain([&] { scheduler_->Drain(); });
  // Draining tells those who wait for space.
  told.WaitForNotification();
  EXPECT_THAT(model.queue->Submit(late.Task()), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("draining")));
  model.runner->LetAllGo();
  drain.join();
  EXPECT_EQ(a.answers(), 1);
  EXPECT_EQ(b.answers(), 1);
  EXPECT_THAT(b.Await().status, IsOk());
  EXPECT_EQ(late.answers(), 0);
  EXPECT_EQ(Count(model, metrics::Rejection::kDraining), 1);
  scheduler_->Drain();
}

TEST_F(BatchSchedulerTest, BatchesOfADrainSayWhy) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg");
  Occupy(model);
  Request waiting(1);
  ASSERT_THAT(model.queue->Submit(waiting.Task()), IsOk());
  absl::Notification told;
  model.queue->WhenSpaceFrees(/*samples=*/100, [&] { told.Notify(); });
  std::thread drain([&] { scheduler_->Drain(); });
  told.WaitForNotification();
  model.runner->LetAllGo();
  drain.join();
  EXPECT_EQ(Count(model, metrics::BatchReason::kDrain), 1);
}

TEST_F(BatchSchedulerTest, ClosingAQueueWaitsForItsTasksAndRefusesNewOnes) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg");
  Occupy(model);
  Request accepted(1), late(1);
  ASSERT_THAT(model.queue->Submit(accepted.Task()), IsOk());
  std::thread release([&] { model.runner->LetAllGo(); });
  model.queue->Close();
  EXPECT_EQ(accepted.answers(), 1);
  EXPECT_THAT(model.queue->Submit(late.Task()), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("being unloaded")));
  release.join();
}

TEST_F(BatchSchedulerTest, TheLastHandleMayBeDroppedInACallback) {
  Start(/*workers=*/1);
  Model model = AddModel("ecg");
  Request request(1);
  std::weak_ptr<PuppetRunner> runner = model.runner;
  InferenceTask task = request.Task();
  task.done = [queue = model.queue, done = std::move(task.done)](InferenceResult result) mutable {
    queue.reset();
    done(std::move(result));
  };
  ModelQueue* queue = model.queue.get();
  model.runner->Hold();
  ASSERT_THAT(queue->Submit(std::move(task)), IsOk());
  model.queue.reset();
  model.runner->LetAllGo();
  request.Await();
  scheduler_->Drain();
  model.runner.reset();
  runners_.clear();
  EXPECT_TRUE(runner.expired());
}

TEST_F(BatchSchedulerTest, AHandleThatOutlivesTheSchedulerRefuses) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg");
  scheduler_.reset();
  Request request(1);
  EXPECT_THAT(model.queue->Submit(request.Task()), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("draining")));
}

TEST_F(BatchSchedulerTest, ACallbackMaySubmitTheNextTask) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg");
  Request first(1), second(1);
  InferenceTask task = first.Task();
  task.done = [&](InferenceResult) { EXPECT_THAT(model.queue->Submit(second.Task()), IsOk()); };
  ASSERT_THAT(model.queue->Submit(std::move(task)), IsOk());
  EXPECT_THAT(second.Await().status, IsOk());
}

TEST_F(BatchSchedulerTest, OptionsOutOfRangeAreRefusedByName) {
  Start(/*workers=*/1);
  const auto runner = std::make_shared<PuppetRunner>();
  const auto add = [&](auto change) {
    ModelQueueOptions options;
    change(options);
    return scheduler_->AddModel(runner, options, &metrics_.ForModel("x", "1")).status();
  };
  EXPECT_THAT(add([](auto& o) { o.max_batch_size = 0; }),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("max_batch_size must be positive; was 0")));
  EXPECT_THAT(add([](auto& o) { o.max_queue_samples = -1; }),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("max_queue_samples must be positive; was -1")));
  EXPECT_THAT(
      add([](auto& o) { o.max_running_batches = -2; }),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("max_running_batches must not be negative; was -2")));
}

}  // namespace
}  // namespace stillwave::batching
