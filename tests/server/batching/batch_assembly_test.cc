#include "server/batching/batch_assembly.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/batching/test_tasks.h"

namespace stillwave::batching {
namespace {

using tensor::Shape;
using tensor::Tensor;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<WaitingTask> Tasks(std::vector<Request*> requests) {
  std::vector<WaitingTask> tasks;
  for (Request* request : requests) tasks.push_back({request->Task(), absl::Time()});
  return tasks;
}

TEST(ConcatenateInputsTest, RowsFollowEachOtherInTheOrderOfTheTasks) {
  Request a(/*samples=*/2, /*first=*/1, /*length=*/2), b(/*samples=*/1, /*first=*/10, /*length=*/2);
  const auto batch = ConcatenateInputs(Tasks({&a, &b}));
  ASSERT_TRUE(batch.ok());
  ASSERT_EQ(batch->views.size(), 1u);
  EXPECT_EQ(batch->views[0].shape, Shape({3, 2}));
  EXPECT_THAT(batch->views[0].values<float>(), ElementsAre(1, 2, 3, 4, 10, 11));
}

TEST(ConcatenateInputsTest, EveryInputIsJoinedByItself) {
  Request a(1, 1, 2), b(1, 5, 2), other_a(1, 100, 1), other_b(1, 200, 1);
  std::vector<WaitingTask> tasks = Tasks({&a, &b});
  tasks[0].task.inputs.push_back(other_a.input().view());
  tasks[1].task.inputs.push_back(other_b.input().view());
  const auto batch = ConcatenateInputs(tasks);
  ASSERT_TRUE(batch.ok());
  EXPECT_THAT(batch->views[0].values<float>(), ElementsAre(1, 2, 5, 6));
  EXPECT_THAT(batch->views[1].values<float>(), ElementsAre(100, 200));
}

TEST(ConcatenateInputsTest, ALoneTaskIsNotCopied) {
  Request a(/*samples=*/2);
  const auto batch = ConcatenateInputs(Tasks({&a}));
  ASSERT_TRUE(batch.ok());
  EXPECT_THAT(batch->storage, IsEmpty());
  EXPECT_EQ(batch->views[0].data, a.input().data());
}

TEST(ConcatenateInputsTest, AWindowWithoutValuesIsNoTrouble) {
  Request a(/*samples=*/2, 1, /*length=*/0), b(/*samples=*/1, 1, /*length=*/0);
  const auto batch = ConcatenateInputs(Tasks({&a, &b}));
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(batch->views[0].shape, Shape({3, 0}));
}

TEST(SplitOutputsTest, EachTaskGetsItsRowsOfEveryOutput) {
  Request a(/*samples=*/1), b(/*samples=*/2);
  std::vector<Tensor> outputs;
  outputs.push_back(Tensor::FromValues<float>({3, 2}, {1, 2, 3, 4, 5, 6}));
  outputs.push_back(Tensor::FromValues<int64_t>({3}, {7, 8, 9}));
  const auto split = SplitOutputs(std::move(outputs), Tasks({&a, &b}));
  ASSERT_TRUE(split.ok());
  EXPECT_EQ((*split)[0][0].shape(), Shape({1, 2}));
  EXPECT_THAT((*split)[0][0].values<float>(), ElementsAre(1, 2));
  EXPECT_THAT((*split)[0][1].values<int64_t>(), ElementsAre(7));
  EXPECT_EQ((*split)[1][0].shape(), Shape({2, 2}));
  EXPECT_THAT((*split)[1][0].values<float>(), ElementsAre(3, 4, 5, 6));
  EXPECT_THAT((*split)[1][1].values<int64_t>(), ElementsAre(8, 9));
}

TEST(SplitOutputsTest, ALoneTaskGetsTheTensorsThemselves) {
  Request a(/*samples=*/2);
  std::vector<Tensor> outputs;
  outputs.push_back(Tensor::FromValues<float>({2, 1}, {1, 2}));
  const void* data = outputs[0].data();
  const auto split = SplitOutputs(std::move(outputs), Tasks({&a}));
  ASSERT_TRUE(split.ok());
  EXPECT_EQ((*split)[0][0].data(), data);
}

}  // namespace
}  // namespace stillwave::batching
