#include "server/streaming/step_outputs.h"

#include <cstring>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::streaming {
namespace {

using tensor::Tensor;
using ::testing::ElementsAre;
using ::testing::FieldsAre;
using ::testing::Optional;

TEST(FindStepAxisTest, TheAxisThatGrowsWithTheWindowIsTheTimeAxis) {
  EXPECT_THAT(FindStepAxis({1, 3, 128}, {1, 3, 256}, 128), Optional(FieldsAre(2, 1)));
  EXPECT_THAT(FindStepAxis({1, 32, 3}, {1, 64, 3}, 128), Optional(FieldsAre(1, 4)));
  EXPECT_THAT(FindStepAxis({1, 128}, {1, 256}, 128), Optional(FieldsAre(1, 1)));
  EXPECT_THAT(FindStepAxis({1, 5, 1}, {1, 5, 2}, 128), Optional(FieldsAre(2, 128)));
}

TEST(FindStepAxisTest, WhatDoesNotGrowInProportionHasNone) {
  EXPECT_EQ(FindStepAxis({1, 5}, {1, 5}, 128), std::nullopt);
  EXPECT_EQ(FindStepAxis({1, 3, 120}, {1, 3, 248}, 128), std::nullopt) << "a convolution without padding";
  EXPECT_EQ(FindStepAxis({1, 3, 26}, {1, 3, 52}, 128), std::nullopt) << "steps of 4.92 samples";
  EXPECT_EQ(FindStepAxis({1, 128, 128}, {1, 256, 256}, 128), std::nullopt) << "attention: two axes";
  EXPECT_EQ(FindStepAxis({1, 3, 0}, {1, 3, 1}, 128), std::nullopt);
  EXPECT_EQ(FindStepAxis({1, 128}, {1, 2, 128}, 128), std::nullopt);
  EXPECT_EQ(FindStepAxis({1}, {1}, 128), std::nullopt);
}

TEST(GuessStepAxisTest, TakesTheOnlyAxisOfTheWindowsLengthOrOfADivisor) {
  EXPECT_THAT(GuessStepAxis({1, 4, 128}, 128), Optional(FieldsAre(2, 1))) << "4 classes, though 4 divides 128";
  EXPECT_THAT(GuessStepAxis({1, 128}, 128), Optional(FieldsAre(1, 1)));
  EXPECT_THAT(GuessStepAxis({1, 5, 32}, 128), Optional(FieldsAre(2, 4)));
}

TEST(GuessStepAxisTest, TakesNoneWhereMoreThanOneCouldBeMeant) {
  EXPECT_EQ(GuessStepAxis({1, 4, 32}, 128), std::nullopt);
  EXPECT_EQ(GuessStepAxis({1, 128, 128}, 128), std::nullopt);
  EXPECT_EQ(GuessStepAxis({1, 4}, 128), std::nullopt) << "4 classes";
  EXPECT_EQ(GuessStepAxis({1, 5, 1}, 128), std::nullopt);
  EXPECT_EQ(GuessStepAxis({1, 5, 256}, 128), std::nullopt);
}

WindowInfo Window(int64_t covered, int64_t padded = 0) {
  WindowInfo window;
  window.covered_samples = covered;
  window.padded_samples = padded;
  return window;
}

TEST(NewStepsTest, LeavesOutWhatIsCoveredAndWhatIsPadding) {
  const StepAxis axis{2, 4};
  EXPECT_THAT(NewSteps(axis, Window(0), 32), FieldsAre(0, 8));
  EXPECT_THAT(NewSteps(axis, Window(24), 32), FieldsAre(6, 8));
  EXPECT_THAT(NewSteps(axis, Window(24, /*padded=*/4), 32), FieldsAre(6, 7));
  EXPECT_THAT(NewSteps(axis, Window(24, /*padded=*/7), 32), FieldsAre(6, 7)) << "a step with one real sample is one";
}

TEST(CopyStepsTest, TakesTheStepsOfEachRow) {
  const Tensor output = Tensor::FromValues<float>({1, 2, 3, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const auto copy = [&output](int axis, StepRange steps) {
    const std::string bytes = CopySteps(output.view(), {axis, 1}, steps);
    std::vector<float> values(bytes.size() / sizeof(float));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  };
  EXPECT_THAT(copy(2, {1, 3}), ElementsAre(2, 3, 4, 5, 8, 9, 10, 11));
  EXPECT_THAT(copy(1, {1, 2}), ElementsAre(6, 7, 8, 9, 10, 11));
  EXPECT_THAT(copy(3, {0, 1}), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(copy(3, {1, 1}), testing::IsEmpty());
}

}  // namespace
}  // namespace stillwave::streaming
