#include "server/batching/fair_queues.h"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/batching/test_tasks.h"
#include "tests/support/status_matchers.h"

namespace stillwave::batching::internal {
namespace {

using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

// One worker that a test plays itself, on a clock of its own.
class FairQueuesTest : public testing::Test {
 protected:
  explicit FairQueuesTest(absl::Duration max_queue_wait = absl::InfiniteDuration())
      : queues_(FairQueues::Options{/*workers=*/1, absl::Microseconds(200), max_queue_wait}) {}

  QueueState* AddModel(const std::string& name, int64_t max_batch_size = 1, int64_t weight = 1) {
    ModelQueueOptions options;
    options.name = name;
    options.max_batch_size = max_batch_size;
    options.max_queue_samples = 10'000;
    options.batching.scheduling_weight = weight;
    return Add(std::move(options));
  }
  QueueState* Add(ModelQueueOptions options) {
    const metrics::ModelMetrics* metrics = &metrics_.ForModel(options.name, "1");
    states_.push_back(std::make_shared<QueueState>(nullptr, std::move(options), metrics));
    queues_.Add(states_.back());
    return states_.back().get();
  }

  absl::Status Submit(QueueState* state, absl::Time deadline = absl::InfiniteFuture()) {
    InferenceTask task = requests_.emplace_back(/*samples=*/1).Task(deadline);
    if (absl::Status status = queues_.Admit(*state, task, now_); !status.ok()) return status;
    queues_.Push(*state, std::move(task), now_);
    return absl::OkStatus();
  }

  // The next batch runs, and takes so long for each of its samples. Whose it was; null when none waited.
  QueueState* Run(const std::map<QueueState*, absl::Duration>& sample_time) {
    Work work;
    absl::Time until;
    if (!queues_.Take(now_, /*idle_workers=*/1, work, &until)) return nullptr;
    QueueState* const state = work.state;
    const auto samples = static_cast<int64_t>(work.tasks.size());
    last_samples_ = samples;
    work.outcome.busy = work.outcome.total_busy = samples * sample_time.at(state);
    work.outcome.answered = samples;
    work.outcome.elements = samples * 3;
    now_ += work.outcome.busy;
    std::vector<std::shared_ptr<QueueState>> retired;
    queues_.Finish(work, retired);
    return state;
  }

  // Until it is known that a sample takes so long.
  void Learn(QueueState* state, absl::Duration duration) {
    for (int i = 0; i < ComputeEstimate::kEnough; ++i) {
      ASSERT_THAT(Submit(state), IsOk());
      Run({{state, duration}});
    }
  }

  absl::Time now_ = absl::FromUnixSeconds(1000);
  metrics::ServerMetrics metrics_;
  std::deque<Request> requests_;
  std::vector<std::shared_ptr<QueueState>> states_;
  FairQueues queues_;
  int64_t last_samples_ = 0;
};

TEST_F(FairQueuesTest, ModelsGetComputeTimeByTheirWeightsHoweverLongTheirBatchesAre) {
  QueueState* const slow = AddModel("slow");
  QueueState* const fast = AddModel("fast");
  QueueState* const heavy = AddModel("heavy", /*max_batch_size=*/1, /*weight=*/3);
  const std::map<QueueState*, absl::Duration> sample_time = {
      {slow, absl::Milliseconds(50)}, {fast, absl::Microseconds(100)}, {heavy, absl::Milliseconds(1)}};
  std::map<QueueState*, absl::Duration> got;
  for (QueueState* state : {slow, fast, heavy}) {
    for (int i = 0; i < 2; ++i) ASSERT_THAT(Submit(state), IsOk());
  }
  while (now_ < absl::FromUnixSeconds(1000) + absl::Seconds(10)) {
    QueueState* const state = Run(sample_time);
    ASSERT_NE(state, nullptr);
    got[state] += sample_time.at(state);
    ASSERT_THAT(Submit(state), IsOk());
  }
  // Of five shares 1, 1 and 3, give or take a batch of the slow one.
  for (const auto& [state, shares] : std::map<QueueState*, int>{{slow, 1}, {fast, 1}, {heavy, 3}}) {
    EXPECT_LE(got[state], absl::Seconds(2) * shares + absl::Milliseconds(200)) << state->options.name;
    EXPECT_GE(got[state], absl::Seconds(2) * shares - absl::Milliseconds(200)) << state->options.name;
  }
}

TEST_F(FairQueuesTest, WhoWasIdleHasSavedUpNothing) {
  QueueState* const busy = AddModel("busy");
  QueueState* const seldom = AddModel("seldom");
  const std::map<QueueState*, absl::Duration> sample_time = {{busy, absl::Milliseconds(1)},
                                                             {seldom, absl::Milliseconds(1)}};
  for (int i = 0; i < 200; ++i) ASSERT_THAT(Submit(busy), IsOk());
  for (int i = 0; i < 100; ++i) ASSERT_EQ(Run(sample_time), busy);
  for (int i = 0; i < 10; ++i) ASSERT_THAT(Submit(seldom), IsOk());
  int turns_of_busy = 0;
  for (int i = 0; i < 10; ++i) turns_of_busy += Run(sample_time) == busy ? 1 : 0;
  EXPECT_GE(turns_of_busy, 4);
  EXPECT_LE(turns_of_busy, 6);
}

TEST_F(FairQueuesTest, ANewcomerIsServedBeforeThoseWhoHadTheirShare) {
  QueueState* const busy = AddModel("busy");
  QueueState* const other = AddModel("other");
  const std::map<QueueState*, absl::Duration> sample_time = {{busy, absl::Milliseconds(1)},
                                                             {other, absl::Milliseconds(1)}};
  for (int i = 0; i < 50; ++i) ASSERT_THAT(Submit(busy), IsOk());
  for (int i = 0; i < 40; ++i) Run(sample_time);
  ASSERT_THAT(Submit(other), IsOk());
  EXPECT_EQ(Run(sample_time), other);
}

TEST_F(FairQueuesTest, ABatchHoldsWhatIsComputedInAboutTenMilliseconds) {
  QueueState* const model = AddModel("ecg", /*max_batch_size=*/32);
  const std::map<QueueState*, absl::Duration> sample_time = {{model, absl::Milliseconds(2)}};
  for (int i = 0; i < 40; ++i) ASSERT_THAT(Submit(model), IsOk());
  Run(sample_time);
  EXPECT_EQ(last_samples_, 32) << "nothing is known yet";
  Run(sample_time);
  EXPECT_EQ(last_samples_, 5);
}

TEST_F(FairQueuesTest, WhatCannotBeAnsweredInTimeIsRefused) {
  QueueState* const model = AddModel("ecg");
  Learn(model, absl::Milliseconds(10));
  ASSERT_THAT(Submit(model, now_ + absl::Milliseconds(1)), IsOk()) << "nothing waits: it may be faster this time";
  for (int i = 0; i < 4; ++i) ASSERT_THAT(Submit(model), IsOk());
  // Five wait.
  EXPECT_THAT(Submit(model, now_ + absl::Milliseconds(59)),
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       AllOf(HasSubstr("cannot be met"), HasSubstr("takes 50ms or more, and 49ms are left"))));
  EXPECT_THAT(Submit(model, now_ + absl::Milliseconds(60)), IsOk());
}

TEST_F(FairQueuesTest, ATimeoutIsHeldAgainstTheWaitAlone) {
  QueueState* const model = AddModel("ecg");
  Learn(model, absl::Milliseconds(10));
  for (int i = 0; i < 5; ++i) ASSERT_THAT(Submit(model), IsOk());
  Request request(1);
  InferenceTask task = request.Task();
  task.timeout = absl::Milliseconds(49);
  EXPECT_THAT(queues_.Admit(*model, task, now_), StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("ecg")));
  task.timeout = absl::Milliseconds(50);
  EXPECT_THAT(queues_.Admit(*model, task, now_), IsOk());
}

TEST_F(FairQueuesTest, OnlyWhatComesFirstCountsForADeadline) {
  ModelQueueOptions options;
  options.name = "ecg";
  options.batching.priority_levels = 2;
  options.batching.default_priority_level = 2;
  QueueState* const model = Add(options);
  Learn(model, absl::Milliseconds(10));
  for (int i = 0; i < 5; ++i) ASSERT_THAT(Submit(model), IsOk());
  Request request(1);
  InferenceTask task = request.Task(now_ + absl::Milliseconds(15));
  EXPECT_THAT(queues_.Admit(*model, task, now_), StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("ecg")));
  task.priority = 1;
  EXPECT_THAT(queues_.Admit(*model, task, now_), IsOk());
}

TEST_F(FairQueuesTest, WhatMayRunIsWorkAndWhatWaitsForCompanyIsNot) {
  ModelQueueOptions options;
  options.name = "delayed";
  options.batching.max_queue_delay = absl::Seconds(1);
  QueueState* const delayed = Add(options);
  QueueState* const model = AddModel("ecg");
  EXPECT_FALSE(queues_.HasWork(now_));
  ASSERT_THAT(Submit(delayed), IsOk());
  EXPECT_FALSE(queues_.HasWork(now_));
  EXPECT_TRUE(queues_.HasWork(now_ + absl::Seconds(1)));
  ASSERT_THAT(Submit(model), IsOk());
  EXPECT_TRUE(queues_.HasWork(now_));
}

class BoundedWaitTest : public FairQueuesTest {
 protected:
  BoundedWaitTest() : FairQueuesTest(/*max_queue_wait=*/absl::Milliseconds(500)) {}
};

TEST_F(BoundedWaitTest, NoMoreWorkWaitsThanIsDoneInThatTime) {
  QueueState* const model = AddModel("ecg");
  Learn(model, absl::Milliseconds(2));
  int accepted = 0;
  absl::Status status;
  while ((status = Submit(model)).ok()) ASSERT_LT(++accepted, 1000);
  EXPECT_EQ(accepted, 251);  // before the last of them lay 500 ms
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted,
                               AllOf(HasSubstr("ecg"), HasSubstr("limit 500ms"), HasSubstr("502ms"))));
  EXPECT_FALSE(queues_.HasSpace(*model, 1));
  ASSERT_EQ(Run({{model, absl::Milliseconds(2)}}), model);
  EXPECT_TRUE(queues_.HasSpace(*model, 1));
  EXPECT_THAT(Submit(model), IsOk());
}

TEST_F(BoundedWaitTest, AFewTasksMayWaitHoweverLongTheyTake) {
  QueueState* const model = AddModel("slow");
  Learn(model, absl::Seconds(1));
  for (int64_t i = 0; i < FairQueues::kAlwaysWelcome; ++i) ASSERT_THAT(Submit(model), IsOk());
  EXPECT_THAT(Submit(model), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("slow")));
}

TEST_F(BoundedWaitTest, WhoWaitsForSpaceIsToldWhenTheWorkIsDone) {
  QueueState* const model = AddModel("ecg");
  Learn(model, absl::Milliseconds(10));
  while (queues_.HasSpace(*model, 1)) ASSERT_THAT(Submit(model), IsOk());
  bool told = false;
  queues_.AddSpaceWaiter(*model, {1, [&told] { told = true; }});
  Work work;
  absl::Time until;
  ASSERT_TRUE(queues_.Take(now_, /*idle_workers=*/1, work, &until));
  ASSERT_EQ(work.space_freed.size(), 1U);
  std::move(work.space_freed.front())();
  EXPECT_TRUE(told);
}

TEST_F(FairQueuesTest, AnswersThatAreHeldCountInTheLimit) {
  ModelQueueOptions options;
  options.name = "ordered";
  options.max_queue_samples = 2;
  options.batching.preserve_ordering = true;
  QueueState* const model = Add(options);
  ASSERT_NE(model->order, nullptr);
  const uint64_t first = model->order->Enter(), second = model->order->Enter();
  model->order->Leave(second, /*samples=*/2, [] {});
  EXPECT_THAT(Submit(model), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("full")));
  EXPECT_FALSE(queues_.HasSpace(*model, 1));
  model->order->Skip(first);
  EXPECT_THAT(Submit(model), IsOk());
}

}  // namespace
}  // namespace stillwave::batching::internal
