#include "client/plot_screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stillwave::client {
namespace {

const absl::Time kNoon = absl::FromUnixSeconds(43200);

std::string Captured(PlotScreen& screen, const std::vector<std::string>& lines) {
  testing::internal::CaptureStdout();
  screen.Draw(lines, kNoon);
  return testing::internal::GetCapturedStdout();
}

TEST(PlotScreen, DrawsOverItselfOnATerminal) {
  PlotScreen screen(/*interactive=*/true);
  EXPECT_EQ(Captured(screen, {"one", "two"}), "one\x1b[K\ntwo\x1b[K\n");
  EXPECT_EQ(Captured(screen, {"three"}), "\x1b[2Athree\x1b[K\n\x1b[J") << "lines that are no more go away";
  screen.Release();
  EXPECT_EQ(Captured(screen, {"four"}), "four\x1b[K\n") << "below what was written meanwhile";
}

TEST(PlotScreen, IsDueTenTimesASecondOnATerminalOnly) {
  PlotScreen screen(/*interactive=*/true);
  EXPECT_TRUE(screen.IsDue(kNoon));
  Captured(screen, {"one"});
  EXPECT_FALSE(screen.IsDue(kNoon + absl::Milliseconds(99)));
  EXPECT_TRUE(screen.IsDue(kNoon + absl::Milliseconds(100)));
  EXPECT_FALSE(PlotScreen(/*interactive=*/false).IsDue(kNoon));
}

TEST(PlotScreen, WritesPlainLinesElsewhere) {
  PlotScreen screen(/*interactive=*/false);
  EXPECT_EQ(Captured(screen, {"one", "two"}), "one\ntwo\n");
}

}  // namespace
}  // namespace stillwave::client
