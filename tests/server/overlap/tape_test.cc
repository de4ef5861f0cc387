#include "server/overlap/tape.h"

#include <vector>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace stillwave::overlap {
namespace {

// Position p of window n holds n * hop + p twice, as the value of the series there.
TEST(Tape, KeepsWhatTwoWindowsShare) {
  for (const int64_t hop : {1, 3, 7, 16}) {
    const KeptValue kept_value{.step_elements = 2, .positions = 20, .hop = hop};
    absl::StatusOr<Tape> tape = Tape::Create(kept_value);
    ASSERT_THAT(tape, test_support::IsOk());
    for (int64_t i = 0; i < 40; ++i) tape->window()[i] = static_cast<float>(i / 2);
    for (int64_t n = 1; n < 50; ++n) {
      tape->Advance();
      float* const window = tape->window();
      for (int64_t p = 0; p < 20 - hop; ++p) {
        ASSERT_EQ(window[2 * p], static_cast<float>(n * hop + p)) << "window " << n << " position " << p;
        ASSERT_EQ(window[2 * p + 1], static_cast<float>(n * hop + p));
      }
      for (int64_t p = 20 - hop; p < 20; ++p) {
        window[2 * p] = window[2 * p + 1] = static_cast<float>(n * hop + p);
      }
    }
  }
}

TEST(Tape, TakesTheMemoryThatIsSaidOfIt) {
  ReusePlan plan;
  plan.kept = {{.step_elements = 64, .positions = 1024, .hop = 16}, {.step_elements = 3, .positions = 100, .hop = 90}};
  const absl::StatusOr<KeptWindow> kept = MakeKeptWindow(plan);
  ASSERT_THAT(kept, test_support::IsOk());
  size_t bytes = 0;
  for (const Tape& tape : kept->tapes) bytes += tape.byte_size();
  EXPECT_EQ(bytes, (1280 * 64 + 190 * 3) * sizeof(float));
  EXPECT_EQ(TapeBytes(plan), static_cast<int64_t>(bytes));
}

}  // namespace
}  // namespace stillwave::overlap
