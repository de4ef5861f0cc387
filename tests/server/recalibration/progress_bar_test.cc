#include "server/recalibration/progress_bar.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::recalibration {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(ProgressText, ShowsTheShareAndTheTimeLeft) {
  EXPECT_EQ(ProgressText(5, 20, absl::Seconds(5)), "[#####---------------]  25 %  5 of 20 batches  ETA 0:15");
  EXPECT_EQ(ProgressText(1, 3, absl::Seconds(3723)), "[######--------------]  33 %  1 of 3 batches  ETA 2:04:06");
}

TEST(ProgressText, KnowsNoTimeLeftBeforeTheFirstBatch) {
  EXPECT_EQ(ProgressText(0, 3, absl::ZeroDuration()), "[--------------------]   0 %  0 of 3 batches");
}

class ProgressBarTest : public ::testing::Test {
 protected:
  int columns_ = 80;
  std::vector<std::string> written_;
  ProgressBar bar_{[this](absl::string_view text) { written_.emplace_back(text); }, [this] { return columns_; }};
  const absl::Time start_ = absl::UnixEpoch();
};

TEST_F(ProgressBarTest, IsDrawnInPlaceAndTakenAwayWhenAllIsDone) {
  bar_.Draw(0, 2, start_);
  bar_.Draw(1, 2, start_ + absl::Seconds(1));
  bar_.Draw(2, 2, start_ + absl::Seconds(2));
  EXPECT_THAT(written_, ElementsAre("\r[--------------------]   0 %  0 of 2 batches\x1b[K",
                                    "\r[##########----------]  50 %  1 of 2 batches  ETA 0:01\x1b[K", "\r\x1b[K"));
}

TEST_F(ProgressBarTest, IsDrawnTenTimesASecondWhateverABatchTakes) {
  for (int done = 0; done < 1000; ++done) bar_.Draw(done, 1000, start_ + done * absl::Milliseconds(1));
  EXPECT_THAT(written_, SizeIs(10));
}

TEST_F(ProgressBarTest, IsTakenAwayThoughItWasDrawnJustNow) {
  bar_.Draw(0, 1, start_);
  bar_.Draw(1, 1, start_);
  EXPECT_THAT(written_, SizeIs(2));
  EXPECT_EQ(written_.back(), "\r\x1b[K");
}

TEST_F(ProgressBarTest, LeavesALineAloneInWhichItDrewNothing) {
  bar_.Clear();
  bar_.Draw(0, 0, start_);
  EXPECT_THAT(written_, IsEmpty());
}

TEST_F(ProgressBarTest, StaysWithinANarrowTerminal) {
  columns_ = 8;
  bar_.Draw(0, 2, start_);
  columns_ = 0;  // nobody knows
  bar_.Draw(0, 2, start_ + absl::Seconds(1));
  EXPECT_THAT(written_, ElementsAre("\r[------\x1b[K", "\r[--------------------]   0 %  0 of 2 batches\x1b[K"));
}

}  // namespace
}  // namespace stillwave::recalibration
