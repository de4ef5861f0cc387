#include "client/trace_canvas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stillwave::client {
namespace {

using testing::ElementsAre;

TEST(TraceCanvas, DrawsBarsWithAscii) {
  TraceCanvas canvas(/*columns=*/5, /*rows=*/2, /*braille=*/false);
  canvas.Bar(0, 0, 0);
  canvas.Bar(1, 0.25, 0.25);
  canvas.Bar(2, 0.49, 0.49);
  canvas.Bar(3, 0, 1);
  EXPECT_THAT(canvas.Lines(), ElementsAre("   | ", ".-'| "));
}

TEST(TraceCanvas, DrawsTwoBarsInAColumnWithBraille) {
  TraceCanvas canvas(/*columns=*/2, /*rows=*/1, /*braille=*/true);
  canvas.Bar(0, 0, 1);
  canvas.Bar(1, 0, 0);
  canvas.Bar(3, 1, 1);
  EXPECT_THAT(canvas.Lines(), ElementsAre("⣇⠈"));
}

TEST(TraceCanvas, ClampsWhatIsOutside) {
  TraceCanvas canvas(/*columns=*/1, /*rows=*/2, /*braille=*/false);
  canvas.Bar(0, -5, 7);
  EXPECT_THAT(canvas.Lines(), ElementsAre("|", "|"));
}

}  // namespace
}  // namespace stillwave::client
