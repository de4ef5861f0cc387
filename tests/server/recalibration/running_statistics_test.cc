#include "server/recalibration/running_statistics.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::recalibration {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;

// Two channels, three values each: the unbiased variance is 3/2 of the biased one.
void AddBatch(RunningStatistics& running, float mean, float biased_variance) {
  const std::vector<float> means = {mean, -mean};
  const std::vector<float> variances = {biased_variance, 2 * biased_variance};
  running.Update({means, variances, /*values=*/3});
}

TEST(RunningStatistics, MovesByItsMomentum) {
  RunningStatistics running({1, 2}, {4, 8}, 0.25);
  AddBatch(running, 5, 2);
  EXPECT_THAT(running.mean(), ElementsAre(FloatEq(2), FloatEq(0.25F)));
  EXPECT_THAT(running.variance(), ElementsAre(FloatEq(3.75F), FloatEq(7.5F)));
  AddBatch(running, 2, 0);
  EXPECT_THAT(running.mean(), ElementsAre(FloatEq(2), FloatEq(-0.3125F)));
  EXPECT_THAT(running.variance(), ElementsAre(FloatEq(2.8125F), FloatEq(5.625F)));
}

TEST(RunningStatistics, AveragesAllBatchesWithoutMomentumAndForgetsWhatWasStored) {
  const float infinity = std::numeric_limits<float>::infinity();
  RunningStatistics running({infinity, 2}, {infinity, 8}, std::nullopt);
  AddBatch(running, 3, 2);
  EXPECT_THAT(running.mean(), ElementsAre(FloatEq(3), FloatEq(-3)));
  AddBatch(running, 6, 4);
  AddBatch(running, 0, 0);
  EXPECT_THAT(running.mean(), ElementsAre(FloatEq(3), FloatEq(-3)));
  EXPECT_THAT(running.variance(), ElementsAre(FloatEq(3), FloatEq(6)));
  EXPECT_EQ(running.updates(), 3);
}

}  // namespace
}  // namespace stillwave::recalibration
