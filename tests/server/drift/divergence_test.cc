#include "server/drift/divergence.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace stillwave::drift {
namespace {

TEST(DivergenceTest, IsZeroWhereNothingHasChanged) {
  for (const double variance : {0.0, 1e-9, 1.0, 1e12}) {
    const ChannelDrift drift = CompareChannel(3, variance, 3, variance, 1e-5);
    EXPECT_EQ(drift.mean_shift, 0);
    EXPECT_EQ(drift.variance_ratio, 1);
    EXPECT_EQ(drift.divergence, 0);
  }
}

TEST(DivergenceTest, IsThatOfTwoNormalDistributions) {
  // Of N(m, v) from N(μ, σ²): ln(σ/√v) + (v + (m - μ)²) / 2σ² - ½.
  const double live_mean = 1.5;
  const double live_variance = 9;
  const ChannelDrift drift = CompareChannel(live_mean, live_variance, -0.5, 4, 0);
  EXPECT_NEAR(drift.mean_shift, 1, 1e-11);
  EXPECT_NEAR(drift.variance_ratio, 2.25, 1e-11);
  EXPECT_NEAR(drift.divergence, std::log(2.0 / 3.0) + (9 + 4) / 8.0 - 0.5, 1e-11);
}

TEST(DivergenceTest, GrowsWithEitherDistance) {
  double before = 0;
  for (const double gain : {1.1, 1.5, 2.0, 5.0}) {
    const double now = CompareChannel(0, gain * gain, 0, 1, 1e-5).divergence;
    EXPECT_GT(now, before) << gain;
    EXPECT_GT(CompareChannel(0, 1 / (gain * gain), 0, 1, 1e-5).divergence, 0) << gain;
    before = now;
  }
  before = 0;
  for (const double shift : {-0.1, 0.5, -1.0, 4.0}) {
    const double now = CompareChannel(shift, 1, 0, 1, 1e-5).divergence;
    EXPECT_GT(now, before) << shift;
    before = now;
  }
}

TEST(DivergenceTest, IsANumberForConstantChannels) {
  // Constant in training and now; constant in one of them; without any epsilon.
  for (const ChannelDrift& drift :
       {CompareChannel(0, 0, 0, 0, 0), CompareChannel(1, 2, 0, 0, 1e-5), CompareChannel(1, 0, 0, 2, 1e-5),
        CompareChannel(1e30, 1e60, 0, 0, 0), CompareChannel(0, 0, 1e15, 1e-30, 0)}) {
    EXPECT_TRUE(std::isfinite(drift.mean_shift));
    EXPECT_TRUE(std::isfinite(drift.variance_ratio));
    EXPECT_TRUE(std::isfinite(drift.divergence));
    EXPECT_GE(drift.divergence, 0);
  }
}

TEST(DivergenceTest, ALayerHasTheMeanAndTheLargestOfEachQuantityByItself) {
  const LayerDrift layer = Summarize(std::vector<ChannelDrift>{{1, 4, 0.5}, {3, 0.5, 1.5}});
  EXPECT_EQ(layer.mean.mean_shift, 2);
  EXPECT_EQ(layer.max.mean_shift, 3);
  EXPECT_EQ(layer.mean.variance_ratio, 2.25);
  EXPECT_EQ(layer.max.variance_ratio, 4);
  EXPECT_EQ(layer.mean.divergence, 1);
  EXPECT_EQ(layer.max.divergence, 1.5);
}

TEST(DivergenceTest, NoChannelsHaveNotChanged) {
  const LayerDrift layer = Summarize({});
  EXPECT_EQ(layer.mean.divergence, 0);
  EXPECT_EQ(layer.max.variance_ratio, 1);
}

}  // namespace
}  // namespace stillwave::drift
