#include "server/recalibration/layer_drift.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"

namespace stillwave::recalibration {
namespace {

TEST(LayerDrift, IsNothingBetweenEqualStatistics) {
  const std::vector<float> mean = {1, -2};
  const std::vector<float> variance = {4, 0};  // a dead channel too
  const LayerDrift drift = MeasureDrift(mean, variance, mean, variance, 1e-5F);
  EXPECT_EQ(drift.max_shift, 0);
  EXPECT_EQ(drift.min_ratio, 1);
  EXPECT_EQ(drift.max_ratio, 1);
  EXPECT_EQ(drift.max_divergence, 0);
}

TEST(LayerDrift, IsMeasuredInStoredDeviations) {
  const std::vector<float> stored_mean = {0, 1};
  const std::vector<float> stored_variance = {4, 1};
  const std::vector<float> data_mean = {3, 1};
  const std::vector<float> data_variance = {1, 2};
  const LayerDrift drift = MeasureDrift(stored_mean, stored_variance, data_mean, data_variance, 0);
  EXPECT_NEAR(drift.max_shift, 1.5, 1e-9);
  EXPECT_NEAR(drift.mean_shift, 0.75, 1e-9);
  EXPECT_NEAR(drift.min_ratio, 0.25, 1e-9);
  EXPECT_NEAR(drift.max_ratio, 2, 1e-9);
  const double first = 0.5 * (0.25 + 2.25 - 1 - std::log(0.25));
  const double second = 0.5 * (2 - 1 - std::log(2));
  EXPECT_NEAR(drift.max_divergence, first, 1e-9);
  EXPECT_NEAR(drift.mean_divergence, (first + second) / 2, 1e-9);
}

}  // namespace
}  // namespace stillwave::recalibration
