#include "server/batching/batch_queue.h"

#include <deque>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/batching/test_tasks.h"

namespace stillwave::batching {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1000);

class BatchQueueTest : public testing::Test {
 protected:
  // Tasks are told apart by their first value.
  void Push(float first, int64_t samples, int64_t length = 3, absl::Time deadline = absl::InfiniteFuture()) {
    requests_.emplace_back(samples, first, length);
    queue_.Push({requests_.back().Task(deadline), kNow});
  }
  static std::vector<float> Firsts(const std::vector<WaitingTask>& tasks) {
    std::vector<float> firsts;
    for (const WaitingTask& waiting : tasks) firsts.push_back(waiting.task.inputs[0].values<float>()[0]);
    return firsts;
  }

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
  const BatchQueue::Batch batch = queue_.TakeBatch(/*max_batch_size=*/5);
  EXPECT_THAT(Firsts(batch.tasks), ElementsAre(1, 2));
  EXPECT_EQ(batch.samples, 4);
  EXPECT_TRUE(batch.full);
  EXPECT_EQ(queue_.waiting_samples(), 2);
}

TEST_F(BatchQueueTest, ASmallerTaskDoesNotOvertakeOneThatDoesNotFit) {
  Push(1, 3);
  Push(2, 3);
  Push(3, 1);
  EXPECT_THAT(Firsts(queue_.TakeBatch(4).tasks), ElementsAre(1));
  EXPECT_THAT(Firsts(queue_.TakeBatch(4).tasks), ElementsAre(2, 3));
}

TEST_F(BatchQueueTest, ABatchThatTookAllAndHasRoomIsNotFull) {
  Push(1, 2);
  EXPECT_FALSE(queue_.TakeBatch(4).full);
  Push(1, 4);
  EXPECT_TRUE(queue_.TakeBatch(4).full);
}

TEST_F(BatchQueueTest, ATaskLargerThanTheBatchComesAlone) {
  Push(1, 1);
  Push(2, 8);
  Push(3, 1);
  EXPECT_THAT(Firsts(queue_.TakeBatch(4).tasks), ElementsAre(1));
  EXPECT_THAT(Firsts(queue_.TakeBatch(4).tasks), ElementsAre(2));
  EXPECT_THAT(Firsts(queue_.TakeBatch(4).tasks), ElementsAre(3));
}

TEST_F(BatchQueueTest, TasksOfOtherShapesKeepTheirPlaces) {
  Push(1, 1, /*length=*/3);
  Push(2, 1, /*length=*/5);
  Push(3, 1, /*length=*/3);
  Push(4, 1, /*length=*/5);
  EXPECT_THAT(Firsts(queue_.TakeBatch(8).tasks), ElementsAre(1, 3));
  EXPECT_THAT(Firsts(queue_.TakeBatch(8).tasks), ElementsAre(2, 4));
  EXPECT_TRUE(queue_.empty());
}

TEST_F(BatchQueueTest, AnEmptyQueueGivesAnEmptyBatch) { EXPECT_THAT(queue_.TakeBatch(8).tasks, IsEmpty()); }

TEST_F(BatchQueueTest, TakesOutWhatIsOverdueAndNothingElse) {
  Push(1, 1, 3, kNow + absl::Seconds(3));
  Push(2, 1, 3, kNow + absl::Seconds(1));
  Push(3, 1);
  Push(4, 1, 3, kNow + absl::Seconds(1));
  EXPECT_EQ(queue_.earliest_deadline(), kNow + absl::Seconds(1));
  EXPECT_THAT(Firsts(queue_.TakeOverdue(kNow)), IsEmpty());
  EXPECT_THAT(Firsts(queue_.TakeOverdue(kNow + absl::Seconds(1))), ElementsAre(2, 4));
  EXPECT_EQ(queue_.waiting_samples(), 2);
  EXPECT_EQ(queue_.earliest_deadline(), kNow + absl::Seconds(3));
}

TEST_F(BatchQueueTest, ATaskThatWasTakenHasNoDeadlineInTheQueueAnyMore) {
  Push(1, 1, 3, kNow);
  (void)queue_.TakeBatch(8);
  EXPECT_EQ(queue_.earliest_deadline(), absl::InfiniteFuture());
  EXPECT_THAT(queue_.TakeOverdue(kNow), IsEmpty());
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
