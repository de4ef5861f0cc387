#include "client/prediction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/client/exit_matchers.h"

namespace stillwave::client {
namespace {

using testing::HasSubstr;

ResultRow Row(std::vector<double> values) {
  const int64_t count = static_cast<int64_t>(values.size());
  return {.outputs = {{"y", "FP32", {count}, std::move(values)}}};
}

TEST(Prediction, NamesTheLargestValuesClass) {
  const auto prediction = Predict(Row({-1, 3, 2}), {"a", "b", "c"}, /*softmax=*/false);
  ASSERT_TRUE(prediction.has_value());
  EXPECT_EQ(prediction->class_index, 1);
  EXPECT_EQ(prediction->label, "b");
  EXPECT_FALSE(prediction->probability.has_value()) << "logits are no probabilities";
}

TEST(Prediction, TakesTheFirstOfEqualValuesAndItsNumberForALabel) {
  const auto prediction = Predict(Row({1, 3, 3}), {}, /*softmax=*/false);
  ASSERT_TRUE(prediction.has_value());
  EXPECT_EQ(prediction->label, "1");
}

TEST(Prediction, ShowsTheProbabilityOfADistribution) {
  const auto prediction = Predict(Row({0.25, 0.75}), {}, /*softmax=*/false);
  ASSERT_TRUE(prediction.has_value());
  EXPECT_EQ(prediction->probability, 0.75);
}

TEST(Prediction, TurnsLogitsIntoAProbabilityOnRequest) {
  const auto prediction = Predict(Row({0, std::log(3)}), {}, /*softmax=*/true);
  ASSERT_TRUE(prediction.has_value());
  EXPECT_DOUBLE_EQ(prediction->probability.value(), 0.75);
}

TEST(Prediction, SoftmaxOfHugeLogitsIsFinite) {
  EXPECT_THAT(Softmax({1e4, 0}), testing::ElementsAre(1, 0));
  EXPECT_THAT(Softmax({}), testing::IsEmpty());
}

TEST(Prediction, ThereIsNoneForSequencesSingleValuesAndNan) {
  EXPECT_FALSE(Predict(Row({1}), {}, false).has_value());
  EXPECT_FALSE(Predict({.outputs = {{"y", "FP32", {1, 2}, {1, 2}}}}, {}, false).has_value());
  EXPECT_FALSE(Predict(Row({1, std::numeric_limits<double>::quiet_NaN()}), {}, false).has_value());
}

TEST(Prediction, LooksForTheFirstOutputThatHasClasses) {
  const ResultRow row{.outputs = {{"sequence", "FP32", {1, 2}, {9, 1}}, {"logits", "FP32", {2}, {1, 5}}}};
  ASSERT_TRUE(Predict(row, {}, false).has_value());
  EXPECT_EQ(Predict(row, {}, false)->class_index, 1);
}

TEST(Prediction, LabelsMustMatchTheClasses) {
  EXPECT_THAT(CheckLabels(Row({1, 2}), {"a", "b"}), Succeeds());
  EXPECT_THAT(CheckLabels(Row({1, 2}), {"a", "b", "c"}),
              FailsWith(ExitCode::kUsage, HasSubstr("--labels must name the 2 classes of output 'y'; names 3")));
  EXPECT_THAT(CheckLabels(Row({1}), {"a"}), FailsWith(ExitCode::kUsage, HasSubstr("there is none")));
}

}  // namespace
}  // namespace stillwave::client
