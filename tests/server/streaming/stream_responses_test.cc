#include "server/streaming/stream_responses.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/streaming/test_streams.h"

namespace stillwave::streaming {
namespace {

using tensor::Tensor;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

SeriesInfo Info() {
  SeriesInfo info;
  info.id = "a";
  info.model.signature = PuppetSignature();
  info.window = {/*length=*/4, /*hop=*/2, /*channels=*/1, /*first_sample_index=*/0};
  info.sample_rate_hz = 2;
  info.input_shape = {1, 1, 4};
  info.outputs = {{1, {1, 1, 3}, std::nullopt}, {0, {1, 2}, std::nullopt}};
  return info;
}

std::vector<Tensor> Outputs() {
  std::vector<Tensor> outputs;
  outputs.push_back(Tensor::FromValues<float>({1, 2}, {1, 2}));
  outputs.push_back(Tensor::FromValues<float>({1, 1, 3}, {3, 4, 5}));
  return outputs;
}

TEST(WindowResponseTest, HoldsTheOutputsAskedForInThatOrderWithoutTheBatchAxis) {
  const auto response = WindowResponse(Info(), {/*index=*/7, /*first=*/14, /*last=*/17, /*padded=*/1, 0}, Outputs());
  const v1::WindowResult& window = response.window();
  EXPECT_EQ(window.window_index(), 7);
  EXPECT_EQ(window.padded_samples(), 1);
  ASSERT_EQ(window.outputs_size(), 2);
  EXPECT_EQ(window.outputs(0).name(), "doubled");
  EXPECT_THAT(window.outputs(0).shape(), ElementsAre(1, 3));
  EXPECT_THAT(Values(window.outputs(0)), ElementsAre(3, 4, 5));
  EXPECT_THAT(window.outputs(1).shape(), ElementsAre(2));
  EXPECT_THAT(Values(window.outputs(1)), ElementsAre(1, 2));
}

TEST(WindowResponseTest, TimesFollowFromTheRateAndTheEndIsExclusive) {
  const auto response = WindowResponse(Info(), {0, /*first=*/14, /*last=*/17, 0, 0}, Outputs());
  EXPECT_EQ(response.window().start_seconds(), 7);
  EXPECT_EQ(response.window().end_seconds(), 9);
}

TEST(WindowResponseTest, WithoutARateThereAreNoTimes) {
  SeriesInfo info = Info();
  info.sample_rate_hz = 0;
  const auto response = WindowResponse(info, {0, 14, 17, 0, 0}, Outputs());
  EXPECT_EQ(response.window().start_seconds(), 0);
  EXPECT_EQ(response.window().end_seconds(), 0);
}

TEST(WindowResponseTest, AScalarPerSampleHasAnEmptyShape) {
  SeriesInfo info = Info();
  info.outputs = {{0, {1}, std::nullopt}};
  std::vector<Tensor> outputs = Outputs();
  outputs[0] = Tensor::FromValues<float>({1}, {0.5f});
  const auto response = WindowResponse(info, {}, outputs);
  EXPECT_THAT(response.window().outputs(0).shape(), IsEmpty());
  EXPECT_THAT(Values(response.window().outputs(0)), ElementsAre(0.5f));
}

// Windows of 4 that start 2 apart, with an output of a step for every two samples beside one without steps.
SeriesInfo StepInfo() {
  SeriesInfo info = Info();
  info.outputs = {{1, {1, 2, 2}, StepAxis{2, 2}}, {0, {1, 2}, std::nullopt}};
  info.new_steps_only = true;
  return info;
}

TEST(WindowResponseTest, NewStepsAreThoseThatTheWindowBeforeDoesNotCover) {
  std::vector<Tensor> outputs = Outputs();
  outputs[1] = Tensor::FromValues<float>({1, 2, 2}, {1, 2, 10, 20});
  const auto window = [&](const SeriesInfo& info, int64_t covered) {
    return WindowResponse(info, {0, 14, 17, 0, covered}, outputs).window();
  };
  const v1::WindowResult next = window(StepInfo(), /*covered=*/2);
  EXPECT_THAT(next.outputs(0).shape(), ElementsAre(2, 1));
  EXPECT_THAT(Values(next.outputs(0)), ElementsAre(2, 20));
  EXPECT_EQ(next.outputs(0).first_step(), 1);
  EXPECT_THAT(Values(next.outputs(1)), ElementsAre(1, 2)) << "an output without steps is whole";
  const v1::WindowResult first = window(StepInfo(), /*covered=*/0);
  EXPECT_THAT(first.outputs(0).shape(), ElementsAre(2, 2));
  EXPECT_EQ(first.outputs(0).first_step(), 0);
  SeriesInfo all = StepInfo();
  all.new_steps_only = false;
  EXPECT_THAT(Values(window(all, /*covered=*/2).outputs(0)), ElementsAre(1, 2, 10, 20));
}

TEST(OpenedResponseTest, NamesTheOutputsThatHaveStepsAndTheMemory) {
  const auto opened = OpenedResponse(StepInfo()).opened();
  ASSERT_EQ(opened.step_outputs_size(), 1);
  EXPECT_EQ(opened.step_outputs(0).name(), "doubled");
  EXPECT_EQ(opened.step_outputs(0).time_axis(), 1) << "without the batch axis, as in OutputTensor";
  EXPECT_EQ(opened.step_outputs(0).samples_per_step(), 2);
  EXPECT_EQ(opened.memory_bytes(), 4 * 4 + kSeriesStateBytes);
}

TEST(ErrorResponseTest, CarriesTheCodeAsANumber) {
  const auto response = ErrorResponse("a", absl::NotFoundError("no"));
  EXPECT_EQ(response.error().series_id(), "a");
  EXPECT_EQ(response.error().code(), 5);
  EXPECT_EQ(response.error().message(), "no");
}

}  // namespace
}  // namespace stillwave::streaming
