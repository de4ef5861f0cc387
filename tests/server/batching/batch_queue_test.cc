#include "server/batching/batch_queue.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/batching/test_tasks.h"

namespace stillwave::batching {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1000);

struct Taken {
  std::vector<float> firsts;
  BatchQueue::Batch batch;
};

std::vector<float> Firsts(const std::vector<WaitingTask>& tasks) {
  std::vector<float> firsts;
  for (const WaitingTask& waiting : tasks) firsts.push_back(waiting.task.inputs[0].values<float>()[0]);
  return firsts;
}

Taken TakeBatch(BatchQueue& queue, int64_t samples) {
  std::vector<WaitingTask> tasks;
  const BatchQueue::Batch batch = queue.TakeBatch({samples}, tasks);
  return {Firsts(tasks), batch};
}

std::vector<float> TakeOverdue(BatchQueue& queue, absl::Time now) {
  std::vector<WaitingTask> tasks;
  queue.TakeOverdue(now, tasks);
  return Firsts(tasks);
}

class BatchQueueTest : public testing::Test {
 protected:
  // Tasks are told apart by their first value.
  void Push(float first, int64_t samples, int64_t length = 3, absl::Time deadline = absl::InfiniteFuture()) {
    requests_.emplace_back(samples, first, length);
    queue_.Push(queue_.Receive(requests_.back().Task(deadline), kNow));
  }
  Taken TakeBatch(int64_t samples) { return batching::TakeBatch(queue_, samples); }
  std::vector<float> TakeOverdue(absl::Time now) { return batching::TakeOverdue(queue_, now); }

  BatchQueue queue_{/*max_samples=*/10};
  std::deque<Request> requests_;
};

TEST_F(BatchQueueTest, CountsWaitingSamplesNotTasks) {
  Push(1, 4);
  Push(2, 5);
  EXPECT_EQ(queue_.waiting_samples(), 9);
  EXPECT_TRUE(queue_.HasSpaceFor(1));
  EXPECT_FALSE(queue_.HasSpaceFor(2));
}

TEST_F(BatchQueueTest, AnEmptyQueueTakesATaskLargerThanItsLimit) {
  EXPECT_TRUE(queue_.HasSpaceFor(11));
  Push(1, 11);
  EXPECT_FALSE(queue_.HasSpaceFor(1));
}

TEST_F(BatchQueueTest, ABatchHoldsTheOldestTasksThatFitTogether) {
  for (const float first : {1.0f, 2.0f, 3.0f}) Push(first, 2);
  const Taken taken = TakeBatch(/*samples=*/5);
  EXPECT_THAT(taken.firsts, ElementsAre(1, 2));
  EXPECT_EQ(taken.batch.samples, 4);
  EXPECT_TRUE(taken.batch.full);
  EXPECT_EQ(queue_.waiting_samples(), 2);
}

TEST_F(BatchQueueTest, ASmallerTaskDoesNotOvertakeOneThatDoesNotFit) {
  Push(1, 3);
  Push(2, 3);
  Push(3, 1);
  EXPECT_THAT(TakeBatch(4).firsts, ElementsAre(1));
  EXPECT_THAT(TakeBatch(4).firsts, ElementsAre(2, 3));
}

TEST_F(BatchQueueTest, ABatchThatTookAllAndHasRoomIsNotFull) {
  Push(1, 2);
  EXPECT_FALSE(TakeBatch(4).batch.full);
  Push(1, 4);
  EXPECT_TRUE(TakeBatch(4).batch.full);
}

TEST_F(BatchQueueTest, ATaskLargerThanTheBatchComesAlone) {
  Push(1, 1);
  Push(2, 8);
  Push(3, 1);
  EXPECT_THAT(TakeBatch(4).firsts, ElementsAre(1));
  EXPECT_THAT(TakeBatch(4).firsts, ElementsAre(2));
  EXPECT_THAT(TakeBatch(4).firsts, ElementsAre(3));
}

TEST_F(BatchQueueTest, TasksOfOtherShapesKeepTheirPlaces) {
  Push(1, 1, /*length=*/3);
  Push(2, 1, /*length=*/5);
  Push(3, 1, /*length=*/3);
  Push(4, 1, /*length=*/5);
  EXPECT_THAT(TakeBatch(8).firsts, ElementsAre(1, 3));
  EXPECT_THAT(TakeBatch(8).firsts, ElementsAre(2, 4));
  EXPECT_TRUE(queue_.empty());
}

TEST_F(BatchQueueTest, AnEmptyQueueGivesAnEmptyBatch) { EXPECT_THAT(TakeBatch(8).firsts, IsEmpty()); }

TEST_F(BatchQueueTest, TakesOutWhatIsOverdueAndNothingElse) {
  Push(1, 1, 3, kNow + absl::Seconds(3));
  Push(2, 1, 3, kNow + absl::Seconds(1));
  Push(3, 1);
  Push(4, 1, 3, kNow + absl::Seconds(1));
  EXPECT_EQ(queue_.next_timer(), kNow + absl::Seconds(1));
  EXPECT_THAT(TakeOverdue(kNow), IsEmpty());
  EXPECT_THAT(TakeOverdue(kNow + absl::Seconds(1)), ElementsAre(2, 4));
  EXPECT_EQ(queue_.waiting_samples(), 2);
  EXPECT_EQ(queue_.next_timer(), kNow + absl::Seconds(3));
}

TEST_F(BatchQueueTest, ATaskThatWasTakenHasNoDeadlineInTheQueueAnyMore) {
  Push(1, 1, 3, kNow);
  EXPECT_THAT(TakeBatch(8).firsts, ElementsAre(1));
  EXPECT_EQ(queue_.next_timer(), absl::InfiniteFuture());
  EXPECT_THAT(TakeOverdue(kNow), IsEmpty());
}

TEST_F(BatchQueueTest, ABatchHoldsNoMoreElementsThanItMay) {
  for (const float first : {1.0f, 2.0f, 3.0f}) Push(first, 2, /*length=*/5);
  std::vector<WaitingTask> tasks;
  const BatchQueue::Batch batch = queue_.TakeBatch({/*samples=*/8, /*elements=*/25}, tasks);
  EXPECT_THAT(Firsts(tasks), ElementsAre(1, 2));
  EXPECT_EQ(batch.elements, 20);
  EXPECT_TRUE(batch.full);
  tasks.clear();
  queue_.TakeBatch({/*samples=*/8, /*elements=*/1}, tasks);
  EXPECT_THAT(Firsts(tasks), ElementsAre(3)) << "the first is taken whatever it has";
}

TEST_F(BatchQueueTest, ACancellationKnowsTheTasksOfItsThatWait) {
  Push(1, 1);
  Push(2, 1);
  Push(3, 1);
  std::vector<WaitingTask> tasks;
  queue_.TakeBatch({1}, tasks);
  // 2 and 3 are left; taking 3 by hand leaves 2 as it was.
  InferenceTask other = requests_[1].Task();
  QueuedTask& queued = queue_.Push(queue_.Receive(std::move(other), kNow));
  EXPECT_EQ(queue_.waiting_samples(), 3);
  EXPECT_THAT(queue_.Take(queued).task.inputs[0].values<float>()[0], 2);
  EXPECT_EQ(queue_.waiting_samples(), 2);
  EXPECT_THAT(TakeBatch(8).firsts, ElementsAre(2, 3));
}

// Tasks come one second apart, so that each has its age.
class PriorityTest : public testing::Test {
 protected:
  void Push(BatchQueue& queue, float first, uint64_t priority, absl::Duration timeout = absl::InfiniteDuration()) {
    InferenceTask task = requests_.emplace_back(/*samples=*/1, first).Task();
    task.priority = priority;
    task.timeout = timeout;
    queue.Push(queue.Receive(std::move(task), now_));
    now_ += absl::Seconds(1);
  }
  static std::vector<LevelPolicy> Levels(size_t count) { return std::vector<LevelPolicy>(count, LevelPolicy{10}); }

  absl::Time now_ = kNow;
  std::deque<Request> requests_;
};

TEST_F(PriorityTest, HigherLevelsComeFirstAndEachLevelInItsOrder) {
  BatchQueue queue(Levels(3));
  Push(queue, 1, 3);
  Push(queue, 2, 2);
  Push(queue, 3, 1);
  Push(queue, 4, 2);
  Push(queue, 5, 1);
  EXPECT_THAT(TakeBatch(queue, 8).firsts, ElementsAre(3, 5)) << "a batch holds tasks of one level";
  EXPECT_THAT(TakeBatch(queue, 8).firsts, ElementsAre(2, 4));
  EXPECT_THAT(TakeBatch(queue, 8).firsts, ElementsAre(1));
}

TEST_F(PriorityTest, LevelsThatTheModelHasNotAreTheDefault) {
  const BatchQueue queue(Levels(3), /*default_level=*/1);
  EXPECT_EQ(queue.LevelOf(0), 1u);
  EXPECT_EQ(queue.LevelOf(1), 0u);
  EXPECT_EQ(queue.LevelOf(3), 2u);
  EXPECT_EQ(queue.LevelOf(4), 1u);
  EXPECT_EQ(queue.LevelOf(std::numeric_limits<uint64_t>::max()), 1u);
  EXPECT_EQ(BatchQueue(/*max_samples=*/4).LevelOf(7), 0u);
}

TEST_F(PriorityTest, EveryEighthBatchThatPassesOverAnOlderTaskTakesThatOne) {
  BatchQueue queue(Levels(2));
  Push(queue, 100, 2);
  Push(queue, 101, 2);
  std::vector<float> order;
  for (int i = 0; i < 20; ++i) {
    Push(queue, static_cast<float>(i), 1);
    order.push_back(TakeBatch(queue, 1).firsts[0]);
  }
  EXPECT_EQ(order[7], 100);
  EXPECT_EQ(order[15], 101);
  EXPECT_EQ(std::count_if(order.begin(), order.end(), [](float first) { return first >= 100; }), 2);
}

TEST_F(PriorityTest, EachLevelHasItsOwnLimit) {
  std::vector<LevelPolicy> levels = Levels(2);
  levels[1].max_samples = 2;
  BatchQueue queue(levels);
  Push(queue, 1, 2);
  Push(queue, 2, 2);
  EXPECT_FALSE(queue.HasSpaceFor(1, /*level=*/1));
  EXPECT_TRUE(queue.HasSpaceFor(10, /*level=*/0));
  EXPECT_EQ(queue.waiting_samples(/*level=*/1), 2);
}

TEST_F(PriorityTest, OnlyWhatIsServedBeforeATaskIsBeforeIt) {
  BatchQueue queue(Levels(3));
  Push(queue, 1, 1);
  Push(queue, 2, 2);
  Push(queue, 3, 3);
  EXPECT_EQ(queue.ElementsBefore(0), 3);
  EXPECT_EQ(queue.ElementsBefore(1), 6);
  EXPECT_EQ(queue.ElementsBefore(2), 9);
  EXPECT_EQ(queue.waiting_elements(), 9);
}

TEST_F(PriorityTest, ATaskThatIsLateStepsBehindThoseOfItsLevelThatAreNot) {
  std::vector<LevelPolicy> levels = Levels(2);
  levels[0].timeout = absl::Seconds(5);
  levels[0].late_step_back = true;
  BatchQueue queue(levels);
  Push(queue, 1, 1);  // at kNow
  Push(queue, 2, 2);
  Push(queue, 3, 1);
  EXPECT_EQ(queue.next_timer(), kNow + absl::Seconds(5));
  EXPECT_THAT(TakeOverdue(queue, kNow + absl::Seconds(5)), IsEmpty()) << "it is not given up";
  EXPECT_EQ(queue.next_timer(), kNow + absl::Seconds(7));
  EXPECT_EQ(queue.ElementsBefore(0), 3) << "a new task of its level comes before the late one";
  EXPECT_EQ(queue.ElementsBefore(1), 9);
  EXPECT_EQ(queue.oldest(), kNow);
  EXPECT_THAT(TakeBatch(queue, 8).firsts, ElementsAre(3));
  EXPECT_THAT(TakeBatch(queue, 8).firsts, ElementsAre(1));
  EXPECT_THAT(TakeBatch(queue, 8).firsts, ElementsAre(2));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.next_timer(), absl::InfiniteFuture());
}

TEST_F(PriorityTest, TheDeadlineOfALateTaskStillHolds) {
  std::vector<LevelPolicy> levels = Levels(1);
  levels[0].timeout = absl::Seconds(5);
  levels[0].late_step_back = true;
  BatchQueue queue(levels);
  InferenceTask task = requests_.emplace_back(/*samples=*/1, /*first=*/1).Task(kNow + absl::Seconds(8));
  queue.Push(queue.Receive(std::move(task), kNow));
  EXPECT_THAT(TakeOverdue(queue, kNow + absl::Seconds(7)), IsEmpty());
  EXPECT_EQ(queue.next_timer(), kNow + absl::Seconds(8));
  EXPECT_THAT(TakeOverdue(queue, kNow + absl::Seconds(8)), ElementsAre(1));
}

// The timeout that holds for a task that states `own`.
absl::Duration Timeout(const LevelPolicy& policy, absl::Duration own, absl::Duration deadline) {
  const BatchQueue queue(std::vector<LevelPolicy>{policy});
  Request request(1);
  InferenceTask task = request.Task(kNow + deadline);
  task.timeout = own;
  EXPECT_EQ(queue.Receive(request.Task(), kNow).enqueued, kNow);
  return queue.GiveUpAt(task, kNow) - kNow;
}

TEST(TimeoutTest, TheSoonestOfDeadlinePolicyAndOwnWordHolds) {
  constexpr absl::Duration kNever = absl::InfiniteDuration();
  const absl::Duration s1 = absl::Seconds(1), s2 = absl::Seconds(2), s3 = absl::Seconds(3);
  LevelPolicy policy;
  EXPECT_EQ(Timeout(policy, kNever, kNever), kNever);
  EXPECT_EQ(Timeout(policy, s2, kNever), s2) << "without a timeout of the model's, a request's own holds";
  EXPECT_EQ(Timeout(policy, s2, s1), s1);
  policy.timeout = s2;
  EXPECT_EQ(Timeout(policy, s1, kNever), s2) << "no override is allowed";
  EXPECT_EQ(Timeout(policy, s1, s1), s1);
  policy.allow_override = true;
  EXPECT_EQ(Timeout(policy, s1, kNever), s1);
  EXPECT_EQ(Timeout(policy, s3, kNever), s2) << "an override shortens only";
}

TEST(SameSampleShapesTest, ComparesTypeAndAllAxesButTheBatch) {
  Request a(/*samples=*/1), b(/*samples=*/7), longer(/*samples=*/1, /*first=*/1, /*length=*/4);
  EXPECT_TRUE(SameSampleShapes(a.Task(), b.Task()));
  EXPECT_FALSE(SameSampleShapes(a.Task(), longer.Task()));
  InferenceTask integers = b.Task();
  integers.inputs[0].data_type = tensor::DataType::kInt32;
  EXPECT_FALSE(SameSampleShapes(a.Task(), integers));
  InferenceTask two_inputs = a.Task();
  two_inputs.inputs.push_back(two_inputs.inputs[0]);
  EXPECT_FALSE(SameSampleShapes(a.Task(), two_inputs));
}

}  // namespace
}  // namespace stillwave::batching
