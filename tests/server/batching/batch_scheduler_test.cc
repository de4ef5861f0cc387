#include "server/batching/batch_scheduler.h"

#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/batching/compute_estimate.h"
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
    Start(options);
  }
  void Start(BatchScheduler::Options options) {
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
    ModelQueueOptions options;
    options.name = name;
    options.max_batch_size = max_batch_size;
    options.max_queue_samples = max_queue_samples;
    options.max_running_batches = max_running_batches;
    return AddModel(options);
  }
  Model AddModel(const ModelQueueOptions& options) {
    Model model{std::make_shared<PuppetRunner>(), nullptr, &metrics_.ForModel(options.name, "1")};
    runners_.push_back(model.runner);
    model.queue = *scheduler_->AddModel(model.runner, options, model.metrics);
    return model;
  }

  // Lets the scheduler see that a sample takes so long by the clock. REQUIRES: all workers are idle.
  void Learn(const Model& model, absl::Duration duration) {
    const size_t calls = model.runner->batch_sizes().size();
    Request request(1);
    model.runner->Hold();
    ASSERT_THAT(model.queue->Submit(request.Task()), IsOk());
    model.runner->AwaitCalls(calls + 1);
    clock_.Advance(duration);
    model.runner->LetAllGo();
    request.Await();
    scheduler_->AwaitIdle();
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

TEST_F(BatchSchedulerTest, BatchesAndTheirRequestsAreInTheStatistics) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg", /*max_batch_size=*/8);
  Occupy(model);
  Request a(1), b(2), c(3);
  for (Request* request : {&a, &b, &c}) ASSERT_THAT(model.queue->Submit(request->Task()), IsOk());
  clock_.Advance(absl::Microseconds(500));
  model.runner->LetAllGo();
  for (Request* request : {&a, &b, &c}) EXPECT_THAT(request->Await().status, IsOk());
  model.runner->Answer(absl::InternalError("broken"));
  Request failed(4);
  ASSERT_THAT(model.queue->Submit(failed.Task()), IsOk());
  EXPECT_FALSE(failed.Await().status.ok());
  const metrics::StatisticsSnapshot statistics = model.metrics->statistics->Read();
  EXPECT_EQ(statistics.executions, 2u);
  EXPECT_EQ(statistics.inferences, 1u + 6u);
  EXPECT_EQ(statistics.queue.count, 4u);
  EXPECT_EQ(statistics.queue.nanoseconds, 3u * 500'000u) << "the first of them did not wait";
  EXPECT_EQ(statistics.compute.infer.count, 4u);
  EXPECT_EQ(statistics.compute.infer.nanoseconds, 500'000u) << "the clock was stepped while the first was computed";
  ASSERT_EQ(statistics.batches.size(), 2u);
  EXPECT_EQ(statistics.batches[0].samples, 1u);
  EXPECT_EQ(statistics.batches[1].samples, 6u);
  EXPECT_EQ(statistics.batches[1].compute.infer.count, 1u);
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
  scheduler_->RunTimers();
  EXPECT_EQ(hurried.answers(), 0);
  clock_.Advance(absl::Seconds(5));
  scheduler_->RunTimers();
  const InferenceResult& result = hurried.Await();
  EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("waited for a worker")));
  EXPECT_EQ(result.queue_duration, absl::Seconds(5));
  EXPECT_EQ(Count(model, metrics::Rejection::kDeadline), 1);
  model.runner->LetAllGo();
  EXPECT_THAT(patient.Await().status, IsOk());
  EXPECT_THAT(model.runner->batch_sizes(), ElementsAre(1, 1));
}

TEST_F(BatchSchedulerTest, TheTimerNeedsNobodyToWakeIt) {
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

TEST_F(BatchSchedulerTest, ACancelledTaskThatWaitsIsAnsweredAtOnceAndFreesItsPlace) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg", /*max_batch_size=*/8, /*max_queue_samples=*/2);
  Occupy(model);
  Request given_up(2), next(2);
  ASSERT_THAT(model.queue->Submit(given_up.Task()), IsOk());
  ASSERT_THAT(model.queue->Submit(next.Task()), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("full")));
  absl::Notification space;
  model.queue->WhenSpaceFrees(/*samples=*/2, [&] { space.Notify(); });
  clock_.Advance(absl::Seconds(3));
  given_up.Cancel();
  EXPECT_EQ(given_up.answers(), 1) << "by the thread that cancels, while the worker is busy";
  EXPECT_THAT(given_up.Await().status, StatusIs(absl::StatusCode::kCancelled, HasSubstr("before it was computed")));
  EXPECT_EQ(given_up.Await().queue_duration, absl::Seconds(3));
  EXPECT_EQ(Count(model, metrics::Rejection::kCancelled), 1);
  EXPECT_TRUE(space.HasBeenNotified());
  EXPECT_EQ(model.metrics->queue_samples->Value(), 0);
  EXPECT_THAT(model.queue->Submit(next.Task()), IsOk());
  model.runner->LetAllGo();
  EXPECT_THAT(next.Await().status, IsOk());
}

TEST_F(BatchSchedulerTest, OneCancellationTakesBackAllTasksThatShareIt) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg"), other = AddModel("other");
  Occupy(model);
  const auto cancellation = std::make_shared<Cancellation>();
  std::deque<Request> requests;
  for (const Model* one : {&model, &other, &model}) {
    InferenceTask task = requests.emplace_back(/*samples=*/1).Task();
    task.cancellation = cancellation;
    ASSERT_THAT(one->queue->Submit(std::move(task)), IsOk());
  }
  cancellation->Cancel();
  for (Request& request : requests) EXPECT_EQ(request.answers(), 1);
  EXPECT_EQ(model.queue->waiting_samples() + other.queue->waiting_samples(), 0);
}

TEST_F(BatchSchedulerTest, ACancelledTaskIsRefused) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg");
  Request request(1);
  request.Cancel();
  EXPECT_THAT(model.queue->Submit(request.Task()), StatusIs(absl::StatusCode::kCancelled, HasSubstr("before it was")));
  EXPECT_EQ(Count(model, metrics::Rejection::kCancelled), 1);
  EXPECT_EQ(request.answers(), 0);
}

TEST_F(BatchSchedulerTest, ADeadlineThatCannotBeMetIsRefusedButNeverWhenNothingWaits) {
  Start(/*workers=*/1);
  const Model model = AddModel("ecg", /*max_batch_size=*/1);
  for (int i = 0; i < ComputeEstimate::kEnough; ++i) Learn(model, absl::Milliseconds(10));
  const size_t calls = model.runner->batch_sizes().size();
  model.runner->Hold();
  Request running(1), waiting(1), hopeless(1), possible(1);
  ASSERT_THAT(model.queue->Submit(running.Task(clock_.Now() + absl::Milliseconds(1))), IsOk());
  model.runner->AwaitCalls(calls + 1);
  ASSERT_THAT(model.queue->Submit(waiting.Task(clock_.Now() + absl::Milliseconds(1))), IsOk());
  EXPECT_THAT(model.queue->Submit(hopeless.Task(clock_.Now() + absl::Milliseconds(19))),
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("cannot be met")));
  EXPECT_EQ(Count(model, metrics::Rejection::kDeadline), 1);
  EXPECT_THAT(model.queue->Submit(possible.Task(clock_.Now() + absl::Milliseconds(20))), IsOk());
  model.runner->LetAllGo();
  EXPECT_THAT(possible.Await().status, IsOk());
}

TEST_F(BatchSchedulerTest, PrioritiesAreServedInTheirOrder) {
  Start(/*workers=*/1);
  ModelQueueOptions options;
  options.name = "ecg";
  options.batching.priority_levels = 2;
  options.batching.default_priority_level = 2;
  const Model model = AddModel(options);
  Occupy(model);
  Request low(3), high(2), usual(1);
  const std::pair<Request*, uint64_t> requests[] = {{&low, 2}, {&high, 1}, {&usual, 0}};
  for (const auto& [request, priority] : requests) {
    InferenceTask task = request->Task();
    task.priority = priority;
    ASSERT_THAT(model.queue->Submit(std::move(task)), IsOk());
  }
  model.runner->LetAllGo();
  for (Request* request : {&low, &high, &usual}) EXPECT_THAT(request->Await().status, IsOk());
  EXPECT_THAT(model.runner->batch_sizes(), ElementsAre(1, 2, 4));
}

TEST_F(BatchSchedulerTest, ATimeoutThatTheModelSetsIsHeld) {
  Start(/*workers=*/1);
  ModelQueueOptions options;
  options.name = "ecg";
  options.batching.default_queue_policy.default_timeout = absl::Seconds(2);
  const Model model = AddModel(options);
  Occupy(model);
  Request request(1);
  ASSERT_THAT(model.queue->Submit(request.Task()), IsOk());
  clock_.Advance(absl::Seconds(2));
  scheduler_->RunTimers();
  EXPECT_THAT(request.Await().status, StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("waited")));
}

TEST_F(BatchSchedulerTest, ALargeTaskIsSplitOverIdleWorkersAndAnsweredAsOne) {
  BatchScheduler::Options options;
  options.workers = 3;
  options.least_part = absl::ZeroDuration();
  Start(options);
  const Model model = AddModel("ecg", /*max_batch_size=*/32);
  model.runner->Hold();
  Request request(/*samples=*/12, /*first=*/1, /*length=*/2);
  ASSERT_THAT(model.queue->Submit(request.Task()), IsOk());
  model.runner->AwaitCalls(3);  // at the same time
  model.runner->LetAllGo();
  const InferenceResult& result = request.Await();
  ASSERT_THAT(result.status, IsOk());
  const absl::Span<const float> input = request.input().values<float>();
  for (size_t i = 0; i < input.size(); ++i) EXPECT_EQ(result.outputs[1].values<float>()[i], 2 * input[i]);
  for (size_t n = 0; n < 12; ++n) EXPECT_EQ(result.outputs[0].values<float>()[n * 2 + 1], input[n * 2]);
  EXPECT_THAT(model.runner->batch_sizes(), ElementsAre(2, 2, 2, 2, 2, 2));
  scheduler_->Drain();
  EXPECT_EQ(Count(model, metrics::BatchReason::kIdle), 1) << "one batch";
  EXPECT_EQ(model.metrics->samples->Value(), 12);
  EXPECT_EQ(model.metrics->compute_duration->Count(), 1u);
}

TEST_F(BatchSchedulerTest, WhoHelpsWithALargeTaskLeavesItForOneThatWaits) {
  BatchScheduler::Options options;
  options.workers = 2;
  options.least_part = absl::ZeroDuration();
  Start(options);
  const Model large = AddModel("large", /*max_batch_size=*/32), small = AddModel("small");
  large.runner->Hold();
  Request many(/*samples=*/32), one(1);
  ASSERT_THAT(large.queue->Submit(many.Task()), IsOk());
  large.runner->AwaitCalls(2);
  ASSERT_THAT(small.queue->Submit(one.Task()), IsOk());
  EXPECT_EQ(small.queue->waiting_samples(), 1) << "both workers are at the large one";
  large.runner->LetAllGo();
  EXPECT_THAT(one.Await().status, IsOk());
  EXPECT_THAT(many.Await().status, IsOk());
}

TEST_F(BatchSchedulerTest, AnErrorOfOnePartIsTheAnswerOfTheTask) {
  BatchScheduler::Options options;
  options.workers = 2;
  options.least_part = absl::ZeroDuration();
  Start(options);
  const Model model = AddModel("ecg");
  model.runner->Answer(absl::InternalError("a broken invariant"));
  Request request(/*samples=*/8);
  ASSERT_THAT(model.queue->Submit(request.Task()), IsOk());
  EXPECT_THAT(request.Await().status, StatusIs(absl::StatusCode::kInternal, HasSubstr("a broken invariant")));
  scheduler_->Drain();
  EXPECT_EQ(request.answers(), 1);
}

TEST_F(BatchSchedulerTest, ATaskIsNotSplitOverMoreWorkersThanTheModelHasInstances) {
  BatchScheduler::Options options;
  options.workers = 2;
  options.least_part = absl::ZeroDuration();
  Start(options);
  const Model model = AddModel("ecg", /*max_batch_size=*/32, /*max_queue_samples=*/100, /*max_running_batches=*/1);
  Request request(/*samples=*/8);
  ASSERT_THAT(model.queue->Submit(request.Task()), IsOk());
  EXPECT_THAT(request.Await().status, IsOk());
  EXPECT_THAT(model.runner->batch_sizes(), ElementsAre(8));
}

TEST_F(BatchSchedulerTest, AQueueDelayWaitsForCompany) {
  Start(/*workers=*/1);
  ModelQueueOptions options;
  options.name = "ecg";
  options.max_batch_size = 4;
  options.batching.max_queue_delay = absl::Seconds(5);
  const Model model = AddModel(options);
  std::deque<Request> requests;
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(model.queue->Submit(requests.emplace_back(/*samples=*/1).Task()), IsOk());
    EXPECT_EQ(model.queue->waiting_samples(), i + 1) << "although a worker is idle";
  }
  ASSERT_THAT(model.queue->Submit(requests.emplace_back(/*samples=*/1).Task()), IsOk());
  for (Request& request : requests) EXPECT_THAT(request.Await().status, IsOk());
  EXPECT_THAT(model.runner->batch_sizes(), ElementsAre(4));
  EXPECT_EQ(Count(model, metrics::BatchReason::kFull), 1);

  Request alone(1);
  ASSERT_THAT(model.queue->Submit(alone.Task()), IsOk());
  scheduler_->RunTimers();
  EXPECT_EQ(model.queue->waiting_samples(), 1);
  clock_.Advance(absl::Seconds(5));
  scheduler_->RunTimers();
  EXPECT_THAT(alone.Await().status, IsOk());
  EXPECT_EQ(alone.Await().queue_duration, absl::Seconds(5));
  scheduler_->Drain();
  EXPECT_EQ(Count(model, metrics::BatchReason::kDelay), 1);
}

TEST_F(BatchSchedulerTest, APreferredSizeEndsTheWait) {
  Start(/*workers=*/1);
  ModelQueueOptions options;
  options.name = "ecg";
  options.max_batch_size = 8;
  options.batching.max_queue_delay = absl::Seconds(5);
  options.batching.preferred_batch_sizes = {2, 4};
  const Model model = AddModel(options);
  Request a(1), b(1);
  ASSERT_THAT(model.queue->Submit(a.Task()), IsOk());
  ASSERT_THAT(model.queue->Submit(b.Task()), IsOk());
  EXPECT_THAT(a.Await().status, IsOk());
  EXPECT_THAT(b.Await().status, IsOk());
  EXPECT_THAT(model.runner->batch_sizes(), ElementsAre(2));
}

TEST_F(BatchSchedulerTest, ADelayIsOverWhenTheSchedulerDrains) {
  Start(/*workers=*/1);
  ModelQueueOptions options;
  options.name = "ecg";
  options.batching.max_queue_delay = absl::Hours(1);
  const Model model = AddModel(options);
  Request request(1);
  ASSERT_THAT(model.queue->Submit(request.Task()), IsOk());
  scheduler_->Drain();
  EXPECT_THAT(request.Await().status, IsOk());
  EXPECT_EQ(Count(model, metrics::BatchReason::kDrain), 1);
}

TEST_F(BatchSchedulerTest, AClosedQueueWaitsForNoCompany) {
  Start(/*workers=*/1);
  ModelQueueOptions options;
  options.name = "ecg";
  options.batching.max_queue_delay = absl::Hours(1);
  const Model model = AddModel(options);
  Request request(1);
  ASSERT_THAT(model.queue->Submit(request.Task()), IsOk());
  model.queue->Close();
  EXPECT_EQ(request.answers(), 1);
}

// Holds samples whose first value is 1 until it is opened; lets others through.
class Gate final : public model::BatchRunner {
 public:
  void Open() {
    absl::MutexLock lock(&mutex_);
    open_ = true;
  }
  void AwaitPassed(int count) {
    absl::MutexLock lock(&mutex_);
    const auto passed = [this, count]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return passed_ >= count; };
    mutex_.Await(absl::Condition(&passed));
  }
  absl::Status Run(execution::ExecutionContext&, absl::Span<const tensor::TensorView> inputs,
                   absl::Span<const tensor::MutableTensorView>) const override {
    absl::MutexLock lock(&mutex_);
    if (inputs[0].values<float>()[0] == 1) mutex_.Await(absl::Condition(&open_));
    ++passed_;
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<tensor::Shape>> OutputShapes(absl::Span<const tensor::Shape> shapes) const override {
    return std::vector<tensor::Shape>{shapes[0]};
  }

 private:
  mutable absl::Mutex mutex_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
  mutable int passed_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST_F(BatchSchedulerTest, AnswersKeepTheOrderOfRequestsWhereTheModelAsksForIt) {
  Start(/*workers=*/2);
  const auto gate = std::make_shared<Gate>();
  ModelQueueOptions options;
  options.name = "ordered";
  options.max_batch_size = 1;
  options.batching.preserve_ordering = true;
  const auto queue = *scheduler_->AddModel(gate, options, &metrics_.ForModel("ordered", "1"));
  Request first(1, /*first=*/1), second(1, /*first=*/2), third(1, /*first=*/3);
  absl::Mutex mutex;
  std::vector<int> order;
  const auto submit = [&](Request& request, int number) {
    InferenceTask task = request.Task();
    task.done = [&, number, done = std::move(task.done)](InferenceResult result) mutable {
      {
        absl::MutexLock lock(&mutex);
        order.push_back(number);
      }
      done(std::move(result));
    };
    ASSERT_THAT(queue->Submit(std::move(task)), IsOk());
  };
  submit(first, 1);
  submit(second, 2);
  submit(third, 3);
  gate->AwaitPassed(2);  // the second and the third
  EXPECT_EQ(second.answers(), 0);
  gate->Open();
  for (Request* request : {&first, &second, &third}) EXPECT_THAT(request->Await().status, IsOk());
  queue->Close();
  absl::MutexLock lock(&mutex);
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

class InlineTest : public BatchSchedulerTest {
 protected:
  void SetUp() override {
    BatchScheduler::Options options;
    options.workers = 1;
    options.inline_compute = absl::Milliseconds(1);
    Start(options);
    model_ = AddModel("ecg");
  }
  // Submits it as a thread that may compute; where it was answered.
  std::thread::id Submit(Request& request) {
    std::thread::id answered_by;
    InferenceTask task = request.Task();
    task.may_run_on_caller = true;
    task.done = [&, done = std::move(task.done)](InferenceResult result) mutable {
      answered_by = std::this_thread::get_id();
      done(std::move(result));
    };
    EXPECT_THAT(model_.queue->Submit(std::move(task)), IsOk());
    EXPECT_THAT(request.Await().status, IsOk());
    return answered_by;
  }

  Model model_;
};

TEST_F(InlineTest, AShortTaskIsComputedByTheThreadThatBringsItWhenAWorkerIsIdle) {
  Request unknown(1), known(1), long_one(64);
  EXPECT_NE(Submit(unknown), std::this_thread::get_id()) << "nothing is known of it yet";
  Learn(model_, absl::Microseconds(100));
  EXPECT_EQ(Submit(known), std::this_thread::get_id());
  EXPECT_THAT(known.Await().outputs[1].values<float>(), ElementsAre(2, 4, 6));
  EXPECT_NE(Submit(long_one), std::this_thread::get_id()) << "it would take 6.4 ms";
}

TEST_F(InlineTest, ATaskThatDoesNotAllowItIsLeftToAWorker) {
  Learn(model_, absl::Microseconds(100));
  Request request(1);
  std::thread::id answered_by;
  InferenceTask task = request.Task();
  task.done = [&, done = std::move(task.done)](InferenceResult result) mutable {
    answered_by = std::this_thread::get_id();
    done(std::move(result));
  };
  ASSERT_THAT(model_.queue->Submit(std::move(task)), IsOk());
  request.Await();
  EXPECT_NE(answered_by, std::this_thread::get_id());
}

TEST_F(InlineTest, AThreadThatComputesTakesTheWorkersPlace) {
  Learn(model_, absl::Microseconds(100));
  const size_t calls = model_.runner->batch_sizes().size();
  model_.runner->Hold();
  Request here(1), waiting(2);
  std::thread caller([&] { Submit(here); });
  model_.runner->AwaitCalls(calls + 1);
  // The only place is taken.
  InferenceTask task = waiting.Task();
  task.may_run_on_caller = true;
  ASSERT_THAT(model_.queue->Submit(std::move(task)), IsOk());
  EXPECT_EQ(model_.queue->waiting_samples(), 2);
  model_.runner->LetAllGo();
  EXPECT_THAT(waiting.Await().status, IsOk()) << "the worker takes over";
  caller.join();
}

TEST_F(InlineTest, DrainWaitsForIt) {
  Learn(model_, absl::Microseconds(100));
  const size_t calls = model_.runner->batch_sizes().size();
  model_.runner->Hold();
  Request here(1);
  std::thread caller([&] { Submit(here); });
  model_.runner->AwaitCalls(calls + 1);
  std::thread drain([&] { scheduler_->Drain(); });
  model_.runner->LetAllGo();
  drain.join();
  EXPECT_EQ(here.answers(), 1);
  caller.join();
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
  EXPECT_THAT(add([](auto& o) { o.batching.scheduling_weight = 101; }),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("scheduling_weight must be 1 to 100; was 101")));
  EXPECT_THAT(add([](auto& o) { o.batching.priority_levels = 300; }),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("priority_levels must be 0 to 256; was 300")));
  EXPECT_THAT(add([](auto& o) { o.batching.default_priority_level = 1; }),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("default_priority_level must be 0 to 0; was 1")));
}

}  // namespace
}  // namespace stillwave::batching
