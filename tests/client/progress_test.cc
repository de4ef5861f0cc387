#include "client/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/stream_report.h"

namespace stillwave::client {
namespace {

TEST(Progress, ShowsShareRateAndTimeLeft) {
  EXPECT_EQ(ProgressText({.samples_sent = 600,
                          .total_samples = 1000,
                          .windows = 25,
                          .expected_windows = 100,
                          .elapsed = absl::Seconds(5)}),
            "[#####---------------]  25 %  600 of 1000 samples  25 windows  5/s  ETA 0:15");
}

TEST(Progress, ShowsCountsOnlyForALiveSource) {
  EXPECT_EQ(ProgressText({.samples_sent = 600, .windows = 10, .elapsed = absl::Seconds(5)}),
            "600 samples  10 windows  2/s");
}

TEST(Progress, ShowsHowFastItIsAgainstTheSignal) {
  EXPECT_EQ(ProgressText({.samples_sent = 600, .windows = 10, .elapsed = absl::Seconds(5), .sample_rate_hz = 50}),
            "600 samples  10 windows  2/s  2.4 × real time");
}

TEST(Progress, HasNoTimeLeftBeforeTheFirstAnswer) {
  EXPECT_EQ(ProgressText({.samples_sent = 600, .total_samples = 1000, .expected_windows = 100}),
            "[--------------------]   0 %  600 of 1000 samples  0 windows  0/s");
}

TEST(Progress, NeverShowsMoreThanAll) {
  // The padded last window is one more than expected.
  EXPECT_EQ(ProgressText({.samples_sent = 1000,
                          .total_samples = 1000,
                          .windows = 11,
                          .expected_windows = 10,
                          .elapsed = absl::Seconds(1)}),
            "[####################] 100 %  1000 of 1000 samples  11 windows  11/s  ETA 0:00");
}

TEST(Progress, ShowsHours) {
  EXPECT_THAT(ProgressText({.total_samples = 4, .windows = 1, .expected_windows = 2, .elapsed = absl::Seconds(3723)}),
              testing::EndsWith("ETA 1:02:03"));
}

TEST(StreamSummary, SaysWhatIsWorthAWord) {
  StreamSummary summary{.windows = 10, .samples_sent = 100, .bytes_sent = 400, .elapsed = absl::Seconds(2)};
  EXPECT_EQ(SummaryText(summary), "10 windows in 2.00 s (5.0 windows/s, 50 samples/s), 100 samples sent (400 bytes)");
  summary.gaps = 1;
  summary.partial_samples = 7;
  summary.sample_rate_hz = 200;
  summary.resumed = 1;
  summary.interrupted = true;
  EXPECT_EQ(
      SummaryText(summary),
      "10 windows in 2.00 s (5.0 windows/s, 50 samples/s, 0.25 × real time), 100 samples sent (400 bytes), 1 gaps, "
      "7 samples at the end did not fill a window, resumed 1 time, interrupted");
}

}  // namespace
}  // namespace stillwave::client
