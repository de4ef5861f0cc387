// A sample's output is the same to the bit alone, in any batch, in any place of it, on any thread.
#include <algorithm>
#include <cstring>
#include <limits>
#include <set>
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

// One tensor for each input, all with the same number of rows.
using Samples = std::vector<Tensor>;

// The shapes of the inputs for `count` samples, for dynamic axes of `length`.
std::vector<Shape> SampleShapes(const LoadedModel& model, int64_t count, int64_t length) {
  std::vector<Shape> shapes;
  for (const TensorSpec& input : model.signature().inputs) {
    Shape shape = input.shape;
    shape[0] = count;
    for (int axis = 1; axis < shape.rank(); ++axis) {
      if (shape[axis] == tensor::kDynamicDim) shape[axis] = length;
    }
    shapes.push_back(std::move(shape));
  }
  return shapes;
}

Samples TakeSamples(const Samples& samples, const std::vector<int64_t>& rows) {
  Samples taken;
  for (const Tensor& input : samples) taken.push_back(TakeRows(input.view(), rows));
  return taken;
}

std::vector<TensorView> Views(const Samples& samples) {
  std::vector<TensorView> views;
  for (const Tensor& input : samples) views.push_back(input.view());
  return views;
}

// How many of the outputs of `rows` of `samples`, run together, differ in a bit from `alone`; those of rows that are
// `ignored` do not count.
int Mismatches(const LoadedModel& model, execution::ExecutionContext& context, const Samples& samples,
               const std::vector<std::vector<Tensor>>& alone, const std::vector<int64_t>& rows,
               const std::set<int64_t>& ignored = {}) {
  const Samples batch = TakeSamples(samples, rows);
  const auto outputs = RunModel(model, context, Views(batch));
  EXPECT_THAT(outputs, IsOk());
  if (!outputs.ok()) return 1;
  int mismatches = 0;
  for (size_t j = 0; j < outputs->size(); ++j) {
    for (size_t i = 0; i < rows.size(); ++i) {
      if (ignored.count(rows[i]) > 0) continue;
      const Tensor& want = alone[static_cast<size_t>(rows[i])][j];
      const Tensor got = TakeRows((*outputs)[j].view(), {static_cast<int64_t>(i)});
      if (std::memcmp(got.data(), want.data(), want.byte_size()) != 0) ++mismatches;
    }
  }
  return mismatches;
}

std::vector<std::vector<Tensor>> RunEachAlone(const LoadedModel& model, const Samples& samples) {
  execution::ExecutionContext context;
  std::vector<std::vector<Tensor>> alone;
  for (int64_t row = 0; row < samples[0].shape()[0]; ++row) {
    const Samples sample = TakeSamples(samples, {row});
    auto outputs = RunModel(model, context, Views(sample));
    EXPECT_THAT(outputs, IsOk());
    alone.push_back(outputs.ok() ? *std::move(outputs) : std::vector<Tensor>{});
  }
  return alone;
}

Samples RandomSamples(const LoadedModel& model, int64_t count, int64_t length) {
  Samples samples;
  for (const Shape& shape : SampleShapes(model, count, length)) {
    samples.push_back(test_support::ToTensor(test_support::RandomTensor(shape, 7 + samples.size())));
  }
  return samples;
}

// `length`, or for networks that halve it several times the next multiple of 8.
int64_t UsableLength(const LoadedModel& model, int64_t length) {
  return model.OutputShapes(SampleShapes(model, 1, length)).ok() ? length : (length + 7) / 8 * 8;
}

class ModelBatchingTest : public ::testing::TestWithParam<TestModel> {};

TEST_P(ModelBatchingTest, GivesASampleTheSameBitsAloneAndInBatchesOfTwoToSixtyFour) {
  const auto loaded = LoadForTest(GetParam().model_file);
  ASSERT_THAT(loaded, IsOk());
  const LoadedModel& model = **loaded;
  for (const int64_t wanted : {64, 45}) {  // no power of two, no multiple of a vector
    const int64_t length = UsableLength(model, wanted);
    const Samples samples = RandomSamples(model, 5, length);
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

// A product with a zero weight or a border that was not cleared would carry it over.
TEST_P(ModelBatchingTest, ANaNOrAnInfinityStaysInItsSample) {
  const auto loaded = LoadForTest(GetParam().model_file);
  ASSERT_THAT(loaded, IsOk());
  const LoadedModel& model = **loaded;
  Samples samples = RandomSamples(model, 5, UsableLength(model, 45));
  const auto fill = [&samples](int64_t row, float value) {
    for (Tensor& input : samples) {
      if (input.data_type() != tensor::DataType::kFloat32) continue;
      const absl::Span<float> values = input.mutable_values<float>();
      const size_t size = values.size() / 5;
      std::fill_n(values.begin() + static_cast<int64_t>(static_cast<size_t>(row) * size), size, value);
    }
  };
  fill(1, std::numeric_limits<float>::quiet_NaN());
  fill(3, std::numeric_limits<float>::infinity());
  const std::vector<std::vector<Tensor>> alone = RunEachAlone(model, samples);
  execution::ExecutionContext context;
  const std::set<int64_t> ignored = {1, 3};
  // Before and behind, in one block and at a tile's end; afterwards none is left in the scratch memory.
  for (const std::vector<int64_t>& rows : std::vector<std::vector<int64_t>>{{1, 0},
                                                                            {0, 3},
                                                                            {0, 1, 2, 3, 4},
                                                                            {1, 1, 0, 3, 3, 2, 4, 1},
                                                                            {3, 1, 3, 1, 3, 1, 3, 4, 0, 1, 3, 2, 1},
                                                                            {0, 2, 4}}) {
    EXPECT_EQ(Mismatches(model, context, samples, alone, rows, ignored), 0) << "batch of " << rows.size();
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
  const Samples samples = RandomSamples(model, 3, 40);
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
