#include "server/streaming/sliding_window.h"

#include <algorithm>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::streaming {
namespace {

using ::testing::ElementsAre;

struct TakenWindow {
  WindowInfo info;
  std::vector<float> values;
};

ChunkView View(const std::vector<float>& values, int64_t channels = 1,
               ChunkLayout layout = ChunkLayout::kSamplesFirst) {
  return {reinterpret_cast<const char*>(values.data()), static_cast<int64_t>(values.size()) / channels, channels,
          layout};
}

std::vector<TakenWindow> FeedAll(SlidingWindow& window, const ChunkView& chunk) {
  std::vector<TakenWindow> taken;
  for (int64_t from = 0; from < chunk.samples;) {
    from += window.Feed(chunk, from);
    if (!window.complete()) continue;
    TakenWindow& one = taken.emplace_back();
    one.values.resize(static_cast<size_t>(window.options().length * window.options().channels));
    one.info = window.Take(absl::MakeSpan(one.values));
  }
  return taken;
}

SlidingWindow Make(int64_t length, int64_t hop, int64_t channels = 1, int64_t first_sample_index = 0) {
  return SlidingWindow({length, hop, channels, first_sample_index});
}

TEST(SlidingWindowTest, OverlappingWindowsShareSamples) {
  SlidingWindow window = Make(/*length=*/3, /*hop=*/1);
  const auto taken = FeedAll(window, View({1, 2, 3, 4, 5}));
  ASSERT_EQ(taken.size(), 3u);
  EXPECT_THAT(taken[0].values, ElementsAre(1, 2, 3));
  EXPECT_THAT(taken[1].values, ElementsAre(2, 3, 4));
  EXPECT_THAT(taken[2].values, ElementsAre(3, 4, 5));
  EXPECT_EQ(taken[2].info.index, 2);
  EXPECT_EQ(taken[2].info.first_sample, 2);
  EXPECT_EQ(taken[2].info.last_sample, 4);
}

TEST(SlidingWindowTest, AHopLargerThanTheWindowSkipsSamples) {
  SlidingWindow window = Make(/*length=*/2, /*hop=*/5);
  const auto taken = FeedAll(window, View({0, 1, 2, 3, 4, 5, 6, 7}));
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_THAT(taken[1].values, ElementsAre(5, 6));
  EXPECT_EQ(taken[1].info.first_sample, 5);
  EXPECT_EQ(window.uncovered_samples(), 0);
  EXPECT_EQ(window.samples(), 8);
}

TEST(SlidingWindowTest, SamplesFirstBecomesChannelsFirst) {
  SlidingWindow window = Make(/*length=*/3, /*hop=*/3, /*channels=*/2);
  const auto taken = FeedAll(window, View({1, 10, 2, 20, 3, 30}, 2));
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_THAT(taken[0].values, ElementsAre(1, 2, 3, 10, 20, 30));
}

TEST(SlidingWindowTest, ChannelsFirstChunksAreReadRowByRow) {
  SlidingWindow window = Make(/*length=*/3, /*hop=*/2, /*channels=*/2);
  const auto taken = FeedAll(window, View({1, 2, 3, 4, 5, 10, 20, 30, 40, 50}, 2, ChunkLayout::kChannelsFirst));
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_THAT(taken[0].values, ElementsAre(1, 2, 3, 10, 20, 30));
  EXPECT_THAT(taken[1].values, ElementsAre(3, 4, 5, 30, 40, 50));
}

TEST(SlidingWindowTest, StopsTakingWhenAWindowIsComplete) {
  SlidingWindow window = Make(/*length=*/2, /*hop=*/2);
  const std::vector<float> values = {1, 2, 3};
  EXPECT_EQ(window.Feed(View(values), 0), 2);
  EXPECT_TRUE(window.complete());
}

TEST(SlidingWindowTest, AGapRestartsTheWindowAndSaysWhatItDiscards) {
  SlidingWindow window = Make(/*length=*/4, /*hop=*/2, /*channels=*/1, /*first_sample_index=*/100);
  EXPECT_EQ(FeedAll(window, View({0, 1, 2, 3, 4})).size(), 1u);
  // Samples 102 and 103 are covered by the first window, 104 by none.
  EXPECT_EQ(window.Restart(/*index=*/200), 1);
  EXPECT_EQ(window.next_sample(), 200);
  const auto taken = FeedAll(window, View({7, 8, 9, 10}));
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_THAT(taken[0].values, ElementsAre(7, 8, 9, 10));
  EXPECT_EQ(taken[0].info.index, 1);
  EXPECT_EQ(taken[0].info.first_sample, 200);
}

TEST(SlidingWindowTest, ThePartialWindowIsFilledUpWithZerosAtItsEnd) {
  SlidingWindow window = Make(/*length=*/4, /*hop=*/2);
  EXPECT_EQ(FeedAll(window, View({1, 2, 3, 4, 5})).size(), 1u);
  EXPECT_EQ(window.uncovered_samples(), 1);
  std::vector<float> values(4);
  const WindowInfo info = window.TakePadded(absl::MakeSpan(values));
  EXPECT_THAT(values, ElementsAre(3, 4, 5, 0));
  EXPECT_EQ(info.first_sample, 2);
  EXPECT_EQ(info.last_sample, 4);
  EXPECT_EQ(info.padded_samples, 1);
  EXPECT_EQ(window.uncovered_samples(), 0);
}

TEST(SlidingWindowTest, HasNothingLeftWhenEverySampleIsInAWindow) {
  SlidingWindow window = Make(/*length=*/4, /*hop=*/1);
  FeedAll(window, View({1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(window.uncovered_samples(), 0);
}

TEST(SlidingWindowTest, SaysHowManySamplesTheWindowBeforeCoversToo) {
  SlidingWindow window = Make(/*length=*/4, /*hop=*/1);
  auto taken = FeedAll(window, View({1, 2, 3, 4, 5}));
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[0].info.covered_samples, 0);
  EXPECT_EQ(taken[1].info.covered_samples, 3);
  window.Restart(/*index=*/100);
  taken = FeedAll(window, View({1, 2, 3, 4, 5}));
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[0].info.covered_samples, 0) << "nothing from before the gap";
  EXPECT_EQ(taken[1].info.covered_samples, 3);
  SlidingWindow apart = Make(/*length=*/2, /*hop=*/3);
  taken = FeedAll(apart, View({1, 2, 3, 4, 5}));
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[1].info.covered_samples, 0);
}

TEST(SlidingWindowTest, GoesOnWhereAnotherEnded) {
  // Behind window 6 of another call, which began at 90: its samples 92 and 93 come again.
  SlidingWindow window({/*length=*/4, /*hop=*/2, /*channels=*/1, /*first_sample_index=*/92, /*first_window_index=*/7});
  EXPECT_EQ(FeedAll(window, View({3, 4})).size(), 0u);
  EXPECT_EQ(window.uncovered_samples(), 0);
  EXPECT_EQ(FeedAll(window, View({5})).size(), 0u);
  EXPECT_EQ(window.uncovered_samples(), 1);
  const auto taken = FeedAll(window, View({6}));
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].info.index, 7);
  EXPECT_EQ(taken[0].info.first_sample, 92);
  EXPECT_EQ(taken[0].info.covered_samples, 2);
  EXPECT_EQ(window.windows(), 1);
}

// --- against a naive computation ---

class RandomSeries : public testing::TestWithParam<int> {};

TEST_P(RandomSeries, GivesTheWindowsOfANaiveComputation) {
  std::mt19937 random(static_cast<unsigned>(GetParam()));
  const auto pick = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  const int64_t length = pick(1, 12), hop = pick(1, 20), channels = pick(1, 3), first = pick(-50, 50);
  const ChunkLayout layout = pick(0, 1) == 0 ? ChunkLayout::kSamplesFirst : ChunkLayout::kChannelsFirst;
  SlidingWindow window({length, hop, channels, first});

  std::vector<float> run;  // [S][C] since the start or the last gap
  int64_t run_start = first, next_start = first, total_windows = 0, covered_end = first;
  float value = 0;
  for (int step = 0; step < 60; ++step) {
    if (pick(0, 7) == 0) {
      const int64_t next = run_start + static_cast<int64_t>(run.size()) / channels;
      const int64_t jump = next + pick(1, 30);
      EXPECT_EQ(window.Restart(jump), std::max<int64_t>(0, next - std::max(covered_end, next_start)));
      run.clear();
      run_start = next_start = covered_end = jump;
    }
    const int64_t count = pick(0, 25);
    std::vector<float> samples_first;
    for (int64_t i = 0; i < count * channels; ++i) samples_first.push_back(value++);
    run.insert(run.end(), samples_first.begin(), samples_first.end());
    std::vector<float> sent = samples_first;
    if (layout == ChunkLayout::kChannelsFirst) {
      for (int64_t s = 0; s < count; ++s) {
        for (int64_t c = 0; c < channels; ++c) {
          sent[static_cast<size_t>(c * count + s)] = samples_first[static_cast<size_t>(s * channels + c)];
        }
      }
    }
    for (const TakenWindow& taken : FeedAll(window, View(sent, channels, layout))) {
      EXPECT_EQ(taken.info.index, total_windows++);
      EXPECT_EQ(taken.info.first_sample, next_start);
      EXPECT_EQ(taken.info.last_sample, next_start + length - 1);
      for (int64_t c = 0; c < channels; ++c) {
        for (int64_t t = 0; t < length; ++t) {
          const int64_t at = (next_start - run_start + t) * channels + c;
          ASSERT_LT(at, static_cast<int64_t>(run.size())) << "a window came too early";
          ASSERT_EQ(taken.values[static_cast<size_t>(c * length + t)], run[static_cast<size_t>(at)]);
        }
      }
      covered_end = next_start + length;
      next_start += hop;
    }
    const int64_t end = run_start + static_cast<int64_t>(run.size()) / channels;
    ASSERT_GT(next_start + length, end) << "a window is missing";
    EXPECT_EQ(window.next_sample(), end);
  }
  EXPECT_EQ(window.windows(), total_windows);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomSeries, testing::Range(0, 200));

}  // namespace
}  // namespace stillwave::streaming
