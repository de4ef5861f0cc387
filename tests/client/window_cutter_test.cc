#include "client/window_cutter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/exit_matchers.h"

namespace stillwave::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(WindowCutter, PutsTheChannelsOfAWindowOneAfterTheOther) {
  // 4 samples of 2 channels; windows of 2 samples, one sample apart.
  const std::vector<float> series = {0, 10, 1, 11, 2, 12, 3, 13};
  const WindowCut cut{.length = 2, .hop = 1, .first = 1, .count = 2};
  ASSERT_THAT(CheckWindowCut(cut, 4), Succeeds());
  EXPECT_THAT(CutWindows(series, 2, cut), ElementsAre(1, 2, 11, 12, 2, 3, 12, 13));
  EXPECT_EQ(cut.start(1), 2);
  EXPECT_EQ(cut.last_sample(1), 3);
}

TEST(WindowCutter, LetsTheLastWindowEndWithTheSeries) {
  EXPECT_THAT(CheckWindowCut({.length = 4, .hop = 3, .first = 0, .count = 3}, 10), Succeeds());
  EXPECT_THAT(CheckWindowCut({.length = 4, .hop = 3, .first = 1, .count = 3}, 10),
              FailsWith(ExitCode::kUsage, HasSubstr("from sample 1 on, 2 windows of 4 samples with hop 3 fit into 10 "
                                                    "samples; --batch was 3")));
}

TEST(WindowCutter, NamesTheNumberThatDoesNotFit) {
  EXPECT_THAT(CheckWindowCut({.length = 0, .hop = 1}, 10), FailsWith(ExitCode::kUsage, HasSubstr("--window")));
  EXPECT_THAT(CheckWindowCut({.length = 1, .hop = 0}, 10), FailsWith(ExitCode::kUsage, HasSubstr("--hop")));
  EXPECT_THAT(CheckWindowCut({.length = 1, .hop = 1, .count = 0}, 10),
              FailsWith(ExitCode::kUsage, HasSubstr("--batch")));
  EXPECT_THAT(CheckWindowCut({.length = 1, .hop = 1, .first = -1}, 10),
              FailsWith(ExitCode::kUsage, HasSubstr("--start")));
  EXPECT_THAT(CheckWindowCut({.length = 11, .hop = 1}, 10),
              FailsWith(ExitCode::kUsage, HasSubstr("the series has 10")));
  EXPECT_THAT(CheckWindowCut({.length = 4, .hop = 1, .first = 7}, 10),
              FailsWith(ExitCode::kUsage, HasSubstr("must start at sample 6 or before; was 7")));
}

TEST(WindowCutter, RefusesHugeNumbersWithoutOverflow) {
  constexpr int64_t kHuge = int64_t{1} << 50;
  EXPECT_THAT(CheckWindowCut({.length = 4, .hop = kHuge, .first = 0, .count = kHuge}, 10),
              FailsWith(ExitCode::kUsage, HasSubstr("1 windows")));
  EXPECT_THAT(CheckWindowCut({.length = 4, .hop = 1, .first = kHuge}, 10),
              FailsWith(ExitCode::kUsage, HasSubstr("was")));
}

}  // namespace
}  // namespace stillwave::client
