#include "client/bench/load_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/client/exit_matchers.h"

namespace stillwave::client::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ModelInfo Model(std::vector<TensorInfo> inputs) { return {"m", {"1"}, "onnx", std::move(inputs), {}}; }
const TensorInfo kOpen{"x", "FP32", {-1, 2, -1}};
const TensorInfo kFixed{"x", "FP32", {-1, 2, 4}};

// Of 2 channels: sample i has the values 2i and 2i + 1.
SampleArray Series(int64_t samples) {
  SampleArray array{.source = "file.npy", .shape = {samples, 2}, .values = std::vector<float>(size_t(samples) * 2)};
  std::iota(array.values.begin(), array.values.end(), 0.0F);
  return array;
}

TEST(InferInputs, AreRandomInTheModelsShapeAndTheSeedDecides) {
  const ModelInfo model = Model({kOpen, {"y", "FP32", {-1, 3}}});
  const InputOptions options{.batch = 5, .window = 7};
  const auto inputs = MakeInferInputs(model, options, nullptr);
  ASSERT_THAT(inputs, Succeeds());
  EXPECT_EQ(inputs->size(), 16u);
  ASSERT_EQ((*inputs)[0].size(), 2u);
  EXPECT_THAT((*inputs)[0][0].shape, ElementsAre(5, 2, 7));
  EXPECT_THAT((*inputs)[0][1].shape, ElementsAre(5, 3));
  EXPECT_EQ((*inputs)[0][0].values.size(), 70u);
  EXPECT_NE((*inputs)[0][0].values, (*inputs)[1][0].values);
  EXPECT_EQ((*MakeInferInputs(model, options, nullptr))[3][0].values, (*inputs)[3][0].values);
  EXPECT_NE((*MakeInferInputs(model, {.batch = 5, .window = 7, .seed = 2}, nullptr))[3][0].values,
            (*inputs)[3][0].values);
}

TEST(InferInputs, RandomValuesAreStandardNormal) {
  const auto inputs = MakeInferInputs(Model({kOpen}), {.window = 50'000}, nullptr);
  ASSERT_THAT(inputs, Succeeds());
  double sum = 0;
  double squares = 0;
  for (const float value : (*inputs)[0][0].values) {
    sum += value;
    squares += static_cast<double>(value) * value;
  }
  EXPECT_NEAR(sum / 100'000, 0, 0.02);
  EXPECT_NEAR(squares / 100'000, 1, 0.02);
}

TEST(InferInputs, WindowsOfAFileFollowEachOther) {
  const SampleArray file = Series(12);
  const auto inputs = MakeInferInputs(Model({kFixed}), {.batch = 2, .hop = 2}, &file);
  ASSERT_THAT(inputs, Succeeds());
  // Windows begin at samples 0 2 | 4 6 | 8, which is one too few for a request.
  ASSERT_EQ(inputs->size(), 2u);
  EXPECT_THAT((*inputs)[1][0].shape, ElementsAre(2, 2, 4));
  EXPECT_THAT((*inputs)[1][0].values, ElementsAre(8, 10, 12, 14, 9, 11, 13, 15, 12, 14, 16, 18, 13, 15, 17, 19));
}

TEST(InferInputs, RowsOfAReadyBatchFollowEachOther) {
  SampleArray file{.source = "file.npy", .shape = {5, 2, 4}, .values = std::vector<float>(40, 1)};
  const auto inputs = MakeInferInputs(Model({kFixed}), {.batch = 2}, &file);
  ASSERT_THAT(inputs, Succeeds());
  EXPECT_EQ(inputs->size(), 2u);
}

TEST(InferInputs, OptionsThatDoNotFitAreRefused) {
  EXPECT_THAT(MakeInferInputs(Model({kOpen}), {}, nullptr), FailsWith(ExitCode::kUsage, HasSubstr("--window")));
  EXPECT_THAT(MakeInferInputs(Model({kFixed}), {.window = 4}, nullptr),
              FailsWith(ExitCode::kUsage, HasSubstr("'m' has its own")));
  EXPECT_THAT(MakeInferInputs(Model({{"x", "FP32", {1, 2, 4}}}), {.batch = 2}, nullptr),
              FailsWith(ExitCode::kUsage, HasSubstr("--batch must be 1 for this model; was 2")));
  EXPECT_THAT(MakeInferInputs(Model({{"x", "FP32", {-1, -1, 4}}}), {}, nullptr),
              FailsWith(ExitCode::kUsage, HasSubstr("give a file")));
  EXPECT_THAT(MakeInferInputs(Model({{"x", "INT64", {-1, 4}}}), {}, nullptr),
              FailsWith(ExitCode::kBadInput, HasSubstr("'x' takes INT64")));
  EXPECT_THAT(MakeInferInputs(Model({kOpen}), {.batch = int64_t{1} << 16, .window = int64_t{1} << 24}, nullptr),
              FailsWith(ExitCode::kUsage, HasSubstr("must have from 1 to 268435456 values")));
  EXPECT_THAT(MakeInferInputs(Model({{"x", "FP32", {-1, 0, 4}}}), {}, nullptr),
              FailsWith(ExitCode::kUsage, HasSubstr("must have from 1")));
}

TEST(InferInputs, AFileThatDoesNotFitIsRefused) {
  const SampleArray file = Series(3);
  EXPECT_THAT(MakeInferInputs(Model({kFixed}), {}, &file), testing::Not(Succeeds()));
  EXPECT_THAT(MakeInferInputs(Model({kFixed, kFixed}), {}, &file),
              FailsWith(ExitCode::kBadInput, HasSubstr("2 inputs")));
}

TEST(SeriesSamples, HasAWindowAndPiecesThatCompleteOneMore) {
  const auto series = MakeSeriesSamples(Model({kOpen}), {.window = 8, .hop = 3}, nullptr);
  ASSERT_THAT(series, Succeeds());
  EXPECT_EQ(series->window, 8);
  EXPECT_EQ(series->channels, 2);
  EXPECT_EQ(series->first.size(), 16u);
  ASSERT_EQ(series->next.size(), 32u);
  EXPECT_EQ(series->next[31].size(), 6u);
}

TEST(SeriesSamples, AShortRecordingIsRepeated) {
  const SampleArray file = Series(5);
  const auto series = MakeSeriesSamples(Model({kFixed}), {.hop = 1}, &file);
  ASSERT_THAT(series, Succeeds());
  EXPECT_THAT(series->first, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(series->next[0], ElementsAre(8, 9));
  EXPECT_THAT(series->next[1], ElementsAre(0, 1));
}

TEST(SeriesSamples, WhatIsNoSeriesIsRefused) {
  EXPECT_THAT(MakeSeriesSamples(Model({{"x", "FP32", {-1, 3, 8, 8}}}), {}, nullptr),
              FailsWith(ExitCode::kBadInput, HasSubstr("[N,C,T] or [N,T]")));
  EXPECT_THAT(MakeSeriesSamples(Model({kFixed}), {.window = 5}, nullptr),
              FailsWith(ExitCode::kUsage, HasSubstr("--window must be 4 for this model; was 5")));
  EXPECT_THAT(MakeSeriesSamples(Model({kOpen}), {.window = 8, .hop = int64_t{1} << 40}, nullptr),
              FailsWith(ExitCode::kUsage, HasSubstr("--hop must be at most")));
  SampleArray mono{.source = "mono.csv", .shape = {9}, .values = std::vector<float>(9)};
  EXPECT_THAT(MakeSeriesSamples(Model({kFixed}), {}, &mono),
              FailsWith(ExitCode::kBadInput, HasSubstr("mono.csv: shape [9] is no series of 2 channels")));
}

}  // namespace
}  // namespace stillwave::client::bench
