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
  info.outputs = {1, 0};
  return info;
}

std::vector<Tensor> Outputs() {
  std::vector<Tensor> outputs;
  outputs.push_back(Tensor::FromValues<float>({1, 2}, {1, 2}));
  outputs.push_back(Tensor::FromValues<float>({1, 1, 3}, {3, 4, 5}));
  return outputs;
}

TEST(WindowResponseTest, HoldsTheOutputsAskedForInThatOrderWithoutTheBatchAxis) {
  const auto response = WindowResponse(Info(), {/*index=*/7, /*first=*/14, /*last=*/17, /*padded=*/1}, Outputs());
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
  const auto response = WindowResponse(Info(), {0, /*first=*/14, /*last=*/17, 0}, Outputs());
  EXPECT_EQ(response.window().start_seconds(), 7);
  EXPECT_EQ(response.window().end_seconds(), 9);
}

TEST(WindowResponseTest, WithoutARateThereAreNoTimes) {
  SeriesInfo info = Info();
  info.sample_rate_hz = 0;
  const auto response = WindowResponse(info, {0, 14, 17, 0}, Outputs());
  EXPECT_EQ(response.window().start_seconds(), 0);
  EXPECT_EQ(response.window().end_seconds(), 0);
}

TEST(WindowResponseTest, AScalarPerSampleHasAnEmptyShape) {
  SeriesInfo info = Info();
  info.outputs = {0};
  std::vector<Tensor> outputs = Outputs();
  outputs[0] = Tensor::FromValues<float>({1}, {0.5f});
  const auto response = WindowResponse(info, {}, outputs);
  EXPECT_THAT(response.window().outputs(0).shape(), IsEmpty());
  EXPECT_THAT(Values(response.window().outputs(0)), ElementsAre(0.5f));
}

TEST(ErrorResponseTest, CarriesTheCodeAsANumber) {
  const auto response = ErrorResponse("a", absl::NotFoundError("no"));
  EXPECT_EQ(response.error().series_id(), "a");
  EXPECT_EQ(response.error().code(), 5);
  EXPECT_EQ(response.error().message(), "no");
}

}  // namespace
}  // namespace stillwave::streaming
