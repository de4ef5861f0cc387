#include "server/overlap/describe_reuse.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/model/run_model.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_models.h"

namespace stillwave::overlap {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(DescribeWindows, SaysWhatIsKeptUntilWhereAndWhatAWindowCosts) {
  const auto model = model::LoadForTest(test_support::SmallModel("seed_block").model_file);
  ASSERT_THAT(model, test_support::IsOk());
  const auto text = DescribeWindows(**model, 1024);
  ASSERT_THAT(text, test_support::IsOk());
  EXPECT_THAT(*text, AllOf(HasSubstr("overlapping windows of 1024 samples"),
                           HasSubstr("256 positions of [64], 4 samples apart; edges of 1 and 1"),
                           HasSubstr("reads the whole window"),
                           HasSubstr("% is recomputed for each window (8 and 24 of 1024 samples)"),
                           HasSubstr("hop 512  full windows: a window would cost")));
}

}  // namespace
}  // namespace stillwave::overlap
