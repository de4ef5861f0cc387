#include "client/infer_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/exit_matchers.h"

namespace stillwave::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const TensorInfo kFixed{"x", "FP32", {-1, 2, 3}};
const TensorInfo kAnyLength{"x", "FP32", {-1, 1, -1}};

SampleArray Array(std::vector<int64_t> shape) {
  SampleArray array{.source = "x.npy", .shape = std::move(shape)};
  int64_t count = 1;
  for (const int64_t dim : array.shape) count *= dim;
  for (int64_t i = 0; i < count; ++i) array.values.push_back(static_cast<float>(i));
  return array;
}

TEST(InferInput, CutsOneWindowOfTheModelsLengthWhenNothingIsSaid) {
  const auto input = MakeInferInput(Array({5, 2}), kFixed, {});
  ASSERT_THAT(input, Succeeds());
  EXPECT_THAT(input->shape, ElementsAre(1, 2, 3));
  EXPECT_THAT(input->values, ElementsAre(0, 2, 4, 1, 3, 5));
  ASSERT_EQ(input->rows.size(), 1u);
  EXPECT_EQ(input->rows[0].samples->last, 2);
}

TEST(InferInput, CutsSeveralWindowsFromTheStartAsked) {
  const auto input = MakeInferInput(Array({10}), kAnyLength, {.window_length = 4, .hop = 2, .batch = 3, .start = 1});
  ASSERT_THAT(input, Succeeds());
  EXPECT_THAT(input->shape, ElementsAre(3, 1, 4));
  EXPECT_THAT(input->values, ElementsAre(1, 2, 3, 4, 3, 4, 5, 6, 5, 6, 7, 8));
  EXPECT_EQ(input->rows[2].index, 2);
  EXPECT_EQ(input->rows[2].samples->first, 5);
  EXPECT_EQ(input->rows[2].samples->last, 8);
}

TEST(InferInput, CutsWindowsForModelsWithoutChannelAxis) {
  const auto input = MakeInferInput(Array({10}), {"x", "FP32", {-1, 4}}, {.batch = 2});
  ASSERT_THAT(input, Succeeds());
  EXPECT_THAT(input->shape, ElementsAre(2, 4));
  EXPECT_THAT(input->values, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
}

TEST(InferInput, SendsAllRowsOfAReadyBatch) {
  const auto input = MakeInferInput(Array({4, 2, 3}), kFixed, {});
  ASSERT_THAT(input, Succeeds());
  EXPECT_THAT(input->shape, ElementsAre(4, 2, 3));
  EXPECT_EQ(input->values.size(), 24u);
  EXPECT_EQ(input->rows.size(), 4u);
  EXPECT_FALSE(input->rows[0].samples.has_value());
}

TEST(InferInput, TakesTheRowsAskedFromAReadyBatch) {
  const auto input = MakeInferInput(Array({4, 2}), {"x", "FP32", {-1, 2}}, {.batch = 2, .start = 1});
  ASSERT_THAT(input, Succeeds());
  EXPECT_THAT(input->shape, ElementsAre(2, 2));
  EXPECT_THAT(input->values, ElementsAre(2, 3, 4, 5));
  EXPECT_EQ(input->rows[1].index, 2);
}

TEST(InferInput, AsksForTheWindowWhenTheModelTakesAnyLength) {
  EXPECT_THAT(MakeInferInput(Array({10}), kAnyLength, {}),
              FailsWith(ExitCode::kUsage, HasSubstr("any length ([-1,1,-1]): say how many samples with --window")));
}

TEST(InferInput, RefusesSelectionsThatDoNotFit) {
  EXPECT_THAT(MakeInferInput(Array({5, 2}), kFixed, {.window_length = 4}),
              FailsWith(ExitCode::kUsage, HasSubstr("--window must be 3 for this model; was 4")));
  EXPECT_THAT(MakeInferInput(Array({4, 2, 3}), kFixed, {.hop = 1}),
              FailsWith(ExitCode::kUsage, HasSubstr("is a ready batch for this model")));
  EXPECT_THAT(MakeInferInput(Array({4, 2, 3}), kFixed, {.start = 4}),
              FailsWith(ExitCode::kUsage, HasSubstr("a row from 0 to 3; was 4")));
  EXPECT_THAT(MakeInferInput(Array({4, 2, 3}), kFixed, {.batch = 4, .start = 1}),
              FailsWith(ExitCode::kUsage, HasSubstr("from 1 to the 3 rows that are there; was 4")));
}

TEST(InferInput, RefusesFilesThatDoNotFit) {
  EXPECT_THAT(MakeInferInput(Array({10}), kFixed, {}),
              FailsWith(ExitCode::kBadInput, HasSubstr("the series has 1 channels, the model takes 2")));
  EXPECT_THAT(MakeInferInput(Array({10, 3}), kFixed, {}),
              FailsWith(ExitCode::kBadInput, HasSubstr("choose with --columns")));
  EXPECT_THAT(MakeInferInput(Array({2, 100}), kFixed, {}), FailsWith(ExitCode::kBadInput, HasSubstr("transpose it")));
  EXPECT_THAT(MakeInferInput(Array({4, 2, 4}), kFixed, {}),
              FailsWith(ExitCode::kBadInput, HasSubstr("dimension 2 must be 3")));
  EXPECT_THAT(MakeInferInput(Array({10, 2}), {"x", "FP32", {-1, 3, 8, 8}}, {}),
              FailsWith(ExitCode::kBadInput, HasSubstr("neither a series nor a ready batch")));
  EXPECT_THAT(MakeInferInput(Array({10}), {"tokens", "INT64", {-1, 10}}, {}),
              FailsWith(ExitCode::kBadInput, HasSubstr("'tokens' takes INT64")));
}

}  // namespace
}  // namespace stillwave::client
