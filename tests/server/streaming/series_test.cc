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
      if (!series_.window_complete()) series_.Feed(request.chunk());
      if (series_.window_complete()) slots.push_back(series_.FormWindow()->slot);
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
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("the value at index 2")));
}

TEST_F(SeriesTest, WrongChunksAreRefusedByRuleAndValue) {
  const auto begin = [&](const v1::StreamWindowsRequest& request) { return series_.BeginChunk(request.chunk()); };
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  v1::StreamWindowsRequest uneven = Chunk("a", {1});
  uneven.mutable_chunk()->mutable_fp32_samples()->append("x");
  EXPECT_THAT(begin(uneven), StatusIs(kInvalid, HasSubstr("must be a multiple of 4 bytes (1 channels of 4); was 5")));
  EXPECT_THAT(begin(Chunk("a", {1}, 9)), StatusIs(kInvalid, HasSubstr("must not go back: 10 is the next; was 9")));
  EXPECT_THAT(begin(Chunk("a", {1}, std::numeric_limits<int64_t>::max())),
              StatusIs(kInvalid, HasSubstr("must be at most")));
  EXPECT_THAT(begin(Chunk("a", {1}, std::numeric_limits<int64_t>::min())), StatusIs(kInvalid, HasSubstr("go back")));
}

}  // namespace
}  // namespace stillwave::streaming
