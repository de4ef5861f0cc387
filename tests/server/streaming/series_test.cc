#include "server/streaming/series.h"

#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/streaming/stream_responses.h"
#include "tests/server/streaming/test_streams.h"
#include "tests/support/status_matchers.h"

namespace stillwave::streaming {
namespace {

using ::stillwave::test_support::IsOk;
using ::stillwave::test_support::StatusIs;
using ::testing::HasSubstr;

class SeriesTest : public testing::Test {
 protected:
  static SeriesInfo Info() {
    SeriesInfo info;
    info.id = "a";
    info.window = {/*length=*/2, /*hop=*/2, /*channels=*/1, /*first_sample_index=*/10};
    info.input_shape = {1, 1, 2};
    return info;
  }
  // Forms the windows of the chunk; says their slots.
  std::vector<int64_t> Send(const std::vector<float>& values) {
    const v1::StreamWindowsRequest request = Chunk("a", values);
    EXPECT_THAT(series_.BeginChunk(request.chunk()), IsOk());
    std::vector<int64_t> slots;
    while (!series_.chunk_done()) {
      if (!series_.window_complete()) series_.Feed();
      if (series_.window_complete()) slots.push_back(series_.FormWindows(1)->first_slot);
    }
    return slots;
  }
  static v1::StreamWindowsResponse Result(int64_t index) {
    v1::StreamWindowsResponse response;
    response.mutable_window()->set_window_index(index);
    return response;
  }

  Series series_{Info()};
};

TEST_F(SeriesTest, ResponsesLeaveInTheOrderOfTheWindows) {
  const std::vector<int64_t> slots = Send({1, 2, 3, 4});
  ASSERT_EQ(slots.size(), 2u);
  series_.Fill(slots[1], Result(1));
  EXPECT_EQ(series_.PopResponse(), std::nullopt);
  series_.Fill(slots[0], Result(0));
  EXPECT_EQ(series_.PopResponse()->window().window_index(), 0);
  EXPECT_EQ(series_.PopResponse()->window().window_index(), 1);
  EXPECT_EQ(series_.PopResponse(), std::nullopt);
}

TEST_F(SeriesTest, AnErrorLetsWhatIsBeforeItOutAndDropsWhatIsBehind) {
  const std::vector<int64_t> slots = Send({1, 2, 3, 4, 5, 6});
  series_.FailAt(slots[1], absl::InternalError("broken"));
  EXPECT_EQ(series_.state(), Series::State::kFailed);
  series_.Fill(slots[2], Result(2));
  series_.Fill(slots[0], Result(0));
  EXPECT_EQ(series_.PopResponse()->window().window_index(), 0);
  EXPECT_EQ(series_.PopResponse()->error().message(), "broken");
  EXPECT_EQ(series_.state(), Series::State::kEnded);
  EXPECT_EQ(series_.PopResponse(), std::nullopt);
}

TEST_F(SeriesTest, TheEarliestErrorIsTheOneThatIsTold) {
  const std::vector<int64_t> slots = Send({1, 2, 3, 4});
  series_.FailAt(slots[1], absl::InternalError("second"));
  series_.FailAt(slots[0], absl::UnavailableError("first"));
  EXPECT_EQ(series_.PopResponse()->error().message(), "first");
  EXPECT_EQ(series_.state(), Series::State::kEnded);
  EXPECT_THAT(series_.error(), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("first")));
}

TEST_F(SeriesTest, ClosingComesAfterTheLastWindow) {
  const std::vector<int64_t> slots = Send({1, 2, 3});
  series_.Close();
  EXPECT_EQ(series_.PopResponse(), std::nullopt);
  series_.Fill(slots[0], Result(0));
  EXPECT_TRUE(series_.PopResponse()->has_window());
  const auto closed = series_.PopResponse();
  EXPECT_EQ(closed->closed().windows(), 1);
  EXPECT_EQ(closed->closed().samples(), 3);
  EXPECT_EQ(closed->closed().partial_samples(), 1);
  EXPECT_EQ(series_.state(), Series::State::kEnded);
}

TEST_F(SeriesTest, AGapIsToldInItsPlace) {
  Send({1});
  EXPECT_THAT(series_.BeginChunk(Chunk("a", {5}, /*sample_index=*/20).chunk()), IsOk());
  const auto gap = series_.PopResponse();
  EXPECT_EQ(gap->gap().expected_sample_index(), 11);
  EXPECT_EQ(gap->gap().received_sample_index(), 20);
  EXPECT_EQ(gap->gap().discarded_samples(), 1);
}

TEST_F(SeriesTest, SamplesThatAreNotFiniteAreRefused) {
  const v1::StreamWindowsRequest request = Chunk("a", {1, 2, std::numeric_limits<float>::infinity()});
  EXPECT_THAT(series_.BeginChunk(request.chunk()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("fp32_samples must be finite; the value at index 2 of the chunk is inf")));
  v1::SampleChunk doubles;
  const double values[] = {1, 1e39};
  doubles.set_fp64_samples(values, sizeof(values));
  EXPECT_THAT(series_.BeginChunk(doubles),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("fp64_samples must be finite and within FP32; the value at index 1 of the chunk is "
                                 "1e+39")));
}

TEST_F(SeriesTest, EachChunkMayBringItsSamplesInAnotherType) {
  SeriesInfo info = Info();
  info.window.length = info.window.hop = 4;
  info.input_shape = {1, 1, 4};
  info.int16_scaling = {{0.5F}, {10}};
  Series series(info);
  const double one[] = {0.25};
  const int16_t two[] = {-6, 7};
  v1::SampleChunk doubles, numbers;
  doubles.set_fp64_samples(one, sizeof(one));
  numbers.set_int16_samples(two, sizeof(two));
  const v1::StreamWindowsRequest floats = Chunk("a", {4});
  for (const v1::SampleChunk& chunk : {doubles, numbers, v1::SampleChunk(), floats.chunk()}) {
    ASSERT_THAT(series.BeginChunk(chunk), IsOk());
    if (!series.chunk_done()) series.Feed();
  }
  ASSERT_TRUE(series.window_complete());
  EXPECT_THAT(series.FormWindows(1)->input.values<float>(), testing::ElementsAre(0.25F, 7, 13.5F, 4));
}

TEST_F(SeriesTest, WindowsOfAChunkAreFormedTogetherUpToALimit) {
  SeriesInfo info = Info();
  info.window = {/*length=*/3, /*hop=*/2, /*channels=*/1, /*first_sample_index=*/10};
  info.input_shape = {1, 1, 3};
  Series series(info);
  const v1::StreamWindowsRequest chunk = Chunk("a", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});  // windows at 0, 2, 4, 6
  ASSERT_THAT(series.BeginChunk(chunk.chunk()), IsOk());
  series.Feed();
  const FormedWindows three = *series.FormWindows(3);
  EXPECT_EQ(three.input.shape(), tensor::Shape({3, 1, 3}));
  EXPECT_THAT(three.input.values<float>(), testing::ElementsAre(0, 1, 2, 2, 3, 4, 4, 5, 6));
  EXPECT_EQ(three.infos[2].index, 2);
  EXPECT_EQ(three.infos[2].first_sample, 14);
  EXPECT_EQ(series.pending(), 3);
  EXPECT_FALSE(series.chunk_done());
  series.Feed();
  const FormedWindows last = *series.FormWindows(3);  // there is but one
  EXPECT_THAT(last.input.values<float>(), testing::ElementsAre(6, 7, 8));
  EXPECT_EQ(last.first_slot, three.first_slot + 3);
  series.Feed();
  EXPECT_TRUE(series.chunk_done());
}

TEST_F(SeriesTest, SamplesThatCameBeforeArePassedOverWhenTheSeriesAsksForIt) {
  SeriesInfo info = Info();  // windows of 2 from sample 10 on
  info.drop_repeated_samples = true;
  Series series(info);
  std::vector<float> windows;
  const auto send = [&](const std::vector<float>& values, int64_t index) {
    const v1::StreamWindowsRequest request = Chunk("a", values, index);
    ASSERT_THAT(series.BeginChunk(request.chunk()), IsOk());
    while (!series.chunk_done()) {
      if (!series.window_complete()) series.Feed();
      if (!series.window_complete()) continue;
      const FormedWindows window = *series.FormWindows(1);
      const auto values_of = window.input.values<float>();
      windows.insert(windows.end(), values_of.begin(), values_of.end());
      series.Fill(window.first_slot, Result(window.infos[0].index));
    }
  };
  send({1, 2, 3}, 10);
  send({1, 2, 3}, 10);               // all of it again
  send({-1, -2, 1, 2, 3, 4, 5}, 8);  // from before the beginning; the last two are new
  send({5, 6}, 14);
  EXPECT_THAT(windows, testing::ElementsAre(1, 2, 3, 4, 5, 6));
  series.Close();
  while (series.pending() > 1) series.PopResponse();
  const v1::SeriesClosed closed = series.PopResponse()->closed();
  EXPECT_EQ(closed.samples(), 6);
  EXPECT_EQ(closed.repeated_samples(), 3 + 5 + 1);
}

TEST_F(SeriesTest, LateSamplesArePassedOverAfterTheirGapWasTold) {
  SeriesInfo info = Info();
  info.drop_repeated_samples = true;
  Series series(info);
  const v1::StreamWindowsRequest ahead = Chunk("a", {1}, 20), late = Chunk("a", {7, 8, 9}, 15);
  ASSERT_THAT(series.BeginChunk(ahead.chunk()), IsOk());
  series.Feed();
  EXPECT_TRUE(series.PopResponse()->has_gap());
  ASSERT_THAT(series.BeginChunk(late.chunk()), IsOk());
  EXPECT_TRUE(series.chunk_done());
  EXPECT_EQ(series.PopResponse(), std::nullopt);
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(series.BeginChunk(Chunk("a", {1}, std::numeric_limits<int64_t>::min()).chunk()),
              StatusIs(kInvalid, HasSubstr("sample_index must be at least -")));
}

TEST_F(SeriesTest, WrongChunksAreRefusedByRuleAndValue) {
  const auto begin = [&](const v1::StreamWindowsRequest& request) { return series_.BeginChunk(request.chunk()); };
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  v1::StreamWindowsRequest uneven = Chunk("a", {1});
  uneven.mutable_chunk()->mutable_fp32_samples()->append("x");
  EXPECT_THAT(begin(uneven),
              StatusIs(kInvalid, HasSubstr("fp32_samples must be a multiple of 4 bytes (1 channels of 4); was 5")));
  v1::StreamWindowsRequest half = Chunk("a", {});
  half.mutable_chunk()->set_int16_samples("abc");
  EXPECT_THAT(begin(half), StatusIs(kInvalid, HasSubstr("int16_samples must be a multiple of 2 bytes")));
  EXPECT_THAT(begin(Chunk("a", {1}, 9)), StatusIs(kInvalid, HasSubstr("must not go back: 10 is the next; was 9")));
  EXPECT_THAT(begin(Chunk("a", {1}, std::numeric_limits<int64_t>::max())),
              StatusIs(kInvalid, HasSubstr("and it and the samples after it at most 2305843009213693952; was 92")));
  EXPECT_THAT(begin(Chunk("a", {1}, std::numeric_limits<int64_t>::min())), StatusIs(kInvalid, HasSubstr("go back")));
}

}  // namespace
}  // namespace stillwave::streaming
