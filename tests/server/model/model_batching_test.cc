// A sample's output is the same to the bit alone, in any batch, in any place of it, on any thread.
#include <cstring>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/model/run_model.h"
#include "tests/support/network_builder.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_models.h"

namespace stillwave::model {
namespace {

using tensor::Shape;
using tensor::Tensor;
using tensor::TensorView;
using test_support::IsOk;
using test_support::TestModel;
using ::testing::Each;

// The shape of one sample of input 0, for dynamic axes of `length`. All promised networks have one input.
Shape SampleShape(const LoadedModel& model, int64_t length) {
  Shape shape = model.signature().inputs[0].shape;
  shape[0] = 1;
  for (int axis = 1; axis < shape.rank(); ++axis) {
    if (shape[axis] == tensor::kDynamicDim) shape[axis] = length;
  }
  return shape;
}

// How many of the outputs of `rows` of `samples`, run together, differ in a bit from `alone`.
int Mismatches(const LoadedModel& model, execution::ExecutionContext& context, const Tensor& samples,
               const std::vector<std::vector<Tensor>>& alone, const std::vector<int64_t>& rows) {
  const Tensor batch = TakeRows(samples.view(), rows);
  const auto outputs = RunModel(model, context, {batch.view()});
  EXPECT_THAT(outputs, IsOk());
  if (!outputs.ok()) return 1;
  int mismatches = 0;
  for (size_t j = 0; j < outputs->size(); ++j) {
    for (size_t i = 0; i < rows.size(); ++i) {
      const Tensor& want = alone[static_cast<size_t>(rows[i])][j];
      const Tensor got = TakeRows((*outputs)[j].view(), {static_cast<int64_t>(i)});
      if (std::memcmp(got.data(), want.data(), want.byte_size()) != 0) ++mismatches;
    }
  }
  return mismatches;
}

std::vector<std::vector<Tensor>> RunEachAlone(const LoadedModel& model, const Tensor& samples) {
  execution::ExecutionContext context;
  std::vector<std::vector<Tensor>> alone;
  for (int64_t row = 0; row < samples.shape()[0]; ++row) {
    const Tensor sample = TakeRows(samples.view(), {row});
    auto outputs = RunModel(model, context, {sample.view()});
    EXPECT_THAT(outputs, IsOk());
    alone.push_back(outputs.ok() ? *std::move(outputs) : std::vector<Tensor>{});
  }
  return alone;
}

Tensor RandomSamples(const LoadedModel& model, int64_t count, int64_t length) {
  Shape shape = SampleShape(model, length);
  shape[0] = count;
  return test_support::ToTensor(test_support::RandomTensor(shape, 7));
}

class ModelBatchingTest : public ::testing::TestWithParam<TestModel> {};

TEST_P(ModelBatchingTest, GivesASampleTheSameBitsAloneAndInBatchesOfTwoToSixtyFour) {
  const auto loaded = LoadForTest(GetParam().model_file);
  ASSERT_THAT(loaded, IsOk());
  const LoadedModel& model = **loaded;
  for (const int64_t length : {64, 45}) {  // no power of two, no multiple of a vector
    const Tensor samples = RandomSamples(model, 5, length);
    const std::vector<std::vector<Tensor>> alone = RunEachAlone(model, samples);
    execution::ExecutionContext context;
    for (const int64_t size : {2, 3, 4, 5, 7, 8, 13, 16, 31, 32, 33, 64}) {
      std::vector<int64_t> forwards;
      std::vector<int64_t> backwards;
      for (int64_t i = 0; i < size; ++i) {
        forwards.push_back(i % 5);
        backwards.push_back((size - 1 - i) * 3 % 5);
      }
      EXPECT_EQ(Mismatches(model, context, samples, alone, forwards), 0) << "batch " << size << ", length " << length;
      EXPECT_EQ(Mismatches(model, context, samples, alone, backwards), 0) << "batch " << size << ", length " << length;
    }
  }
}

TEST_P(ModelBatchingTest, RunsBatchesAndNotRowByRowUnlessTheFileIsFixedToOneSample) {
  const auto model = LoadForTest(GetParam().model_file);
  ASSERT_THAT(model, IsOk());
  EXPECT_FALSE((*model)->row_by_row());
}

TEST_P(ModelBatchingTest, GivesTheSameBitsFromSeveralThreadsAtOnce) {
  const auto loaded = LoadForTest(GetParam().model_file);
  ASSERT_THAT(loaded, IsOk());
  const LoadedModel& model = **loaded;
  const Tensor samples = RandomSamples(model, 3, 40);
  const std::vector<std::vector<Tensor>> alone = RunEachAlone(model, samples);
  std::vector<int> mismatches(4, 0);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < mismatches.size(); ++t) {
    threads.emplace_back([&, t] {
      execution::ExecutionContext context;
      for (int round = 0; round < 4; ++round) {
        // Sizes that other threads run and compile at the same time.
        std::vector<int64_t> rows;
        for (int64_t i = 0; i <= round + static_cast<int64_t>(t); ++i) rows.push_back((i + round) % 3);
        mismatches[t] += Mismatches(model, context, samples, alone, rows);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(mismatches, Each(0));
}

INSTANTIATE_TEST_SUITE_P(Promised, ModelBatchingTest, ::testing::ValuesIn(test_support::PromisedModels()),
                         test_support::TestSuffix);

}  // namespace
}  // namespace stillwave::model
