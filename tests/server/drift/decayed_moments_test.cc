#include "server/drift/decayed_moments.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/drift/reference_file.h"

namespace stillwave::drift {
namespace {

using tensor::Shape;
using tensor::Tensor;

constexpr double kForever = std::numeric_limits<double>::infinity();

Tensor NormalTensor(const Shape& shape, float offset, float spread, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal(offset, spread);
  Tensor tensor = *Tensor::Create(tensor::DataType::kFloat32, shape);
  for (float& value : tensor.mutable_values<float>()) value = normal(random);
  return tensor;
}

void ExpectClose(absl::Span<const double> got, absl::Span<const double> want, double relative,
                 const std::string& what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  for (size_t c = 0; c < got.size(); ++c) {
    EXPECT_NEAR(got[c], want[c], relative * std::abs(want[c])) << what << ", channel " << c;
  }
}

TEST(ChannelMomentsTest, RunsOverSamplesAndPositionsOfEachChannel) {
  // {2, 2, 3}: channel 0 has 1 2 3 and 4 5 6, channel 1 a constant.
  const Tensor x = Tensor::FromValues<float>({2, 2, 3}, {1, 2, 3, 7, 7, 7, 4, 5, 6, 7, 7, 7});
  const ChannelMoments moments = MomentsOf(x.view());
  EXPECT_THAT(moments.mean, testing::ElementsAre(3.5, 7));
  EXPECT_THAT(moments.variance, testing::ElementsAre(testing::DoubleNear(35.0 / 12, 1e-14), 0));
  EXPECT_TRUE(moments.IsFinite());
}

TEST(ChannelMomentsTest, OneValueAChannelHasNoVariance) {
  const Tensor x = Tensor::FromValues<float>({1, 3}, {1, -2, 1e30F});
  const ChannelMoments moments = MomentsOf(x.view());
  EXPECT_THAT(moments.mean, testing::ElementsAre(1, -2, static_cast<double>(1e30F)));
  EXPECT_THAT(moments.variance, testing::ElementsAre(0, 0, 0));
}

TEST(ChannelMomentsTest, ValuesThatAreNoNumbersAndNoValuesAreNotFinite) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_FALSE(MomentsOf(Tensor::FromValues<float>({1, 2, 2}, {0, 0, nan, 0}).view()).IsFinite());
  EXPECT_FALSE(MomentsOf(Tensor::FromValues<float>({1, 2, 2}, {0, infinity, 0, 0}).view()).IsFinite());
  EXPECT_FALSE(MomentsOf(Tensor::FromValues<float>({1, 2, 0}, {}).view()).IsFinite());
}

TEST(DecayedMomentsTest, AreWhatNumpyMakesOfThem) {
  const nlohmann::json cases = ReadReference()["moments"];
  ASSERT_GE(cases.size(), 8u);
  for (const nlohmann::json& one : cases) {
    DecayedMoments moments(2, one["half_life"]);
    for (const nlohmann::json& sample : one["samples"]) {
      std::vector<float> values;
      for (const nlohmann::json& channel : sample) {
        for (const double value : channel) values.push_back(static_cast<float>(value));
      }
      moments.Add(MomentsOf(Tensor::FromValues<float>({1, 2, 5}, values).view()));
    }
    // float64 itself has 1e-16; what an offset of a million spreads takes of the digits is in both.
    ExpectClose(moments.mean(), ToDoubles(one["mean"]), 1e-14, one["name"]);
    ExpectClose(moments.variance(), ToDoubles(one["variance"]), 1e-9, one["name"]);
  }
}

TEST(DecayedMomentsTest, WithoutDecayAreThoseOfAllValuesTogether) {
  DecayedMoments moments(3, kForever);
  const Tensor all = NormalTensor({50, 3, 8}, 100, 3, 1);
  for (int64_t n = 0; n < 50; ++n) {
    moments.Add(MomentsOf(
        Tensor::FromValues<float>({1, 3, 8}, all.values<float>().subspan(static_cast<size_t>(n) * 24, 24)).view()));
  }
  const ChannelMoments want = MomentsOf(all.view());
  ExpectClose(moments.mean(), want.mean, 1e-13, "mean");
  ExpectClose(moments.variance(), want.variance, 1e-12, "variance");
  EXPECT_EQ(moments.samples(), 50);
  EXPECT_DOUBLE_EQ(moments.weight(), 50);
}

TEST(DecayedMomentsTest, ASampleCountsHalfAfterItsHalfLife) {
  DecayedMoments moments(1, 4);
  moments.Add({{1}, {0}});
  for (int n = 0; n < 4; ++n) moments.Add({{0}, {0}});
  // The first has weight ½ by now, the others 2^-¾ + 2^-½ + 2^-¼ + 1.
  const double others = std::exp2(-0.75) + std::exp2(-0.5) + std::exp2(-0.25) + 1;
  EXPECT_NEAR(moments.weight(), 0.5 + others, 1e-14);
  EXPECT_NEAR(moments.mean()[0], 0.5 / (0.5 + others), 1e-14);
}

TEST(DecayedMomentsTest, TheWeightStaysBelowOneAndAHalfHalfLives) {
  DecayedMoments moments(1, 100);
  for (int n = 0; n < 10'000; ++n) moments.Add({{static_cast<double>(n)}, {1}});
  EXPECT_GT(moments.weight(), 140);
  EXPECT_LT(moments.weight(), 150);
  EXPECT_EQ(moments.samples(), 10'000);
}

TEST(DecayedMomentsTest, MergedAreAsIfAddedOneByOneWhereverTheyAreCut) {
  for (const double half_life : {0.7, 5.0, 1000.0, kForever}) {
    for (const float offset : {0.0F, 1e5F}) {
      for (const int cut : {0, 1, 7, 19, 20}) {
        DecayedMoments all(2, half_life);
        DecayedMoments before(2, half_life);
        DecayedMoments after(2, half_life);
        for (int n = 0; n < 20; ++n) {
          const ChannelMoments sample =
              MomentsOf(NormalTensor({1, 2, 16}, offset, 1, 100 + static_cast<uint64_t>(n)).view());
          all.Add(sample);
          (n < cut ? before : after).Add(sample);
        }
        before.Merge(after);
        const std::string what = absl::StrCat("half-life ", half_life, ", offset ", offset, ", cut at ", cut);
        ExpectClose(before.mean(), all.mean(), 1e-9, what);
        ExpectClose(before.variance(), all.variance(), 1e-8, what);
        EXPECT_NEAR(before.weight(), all.weight(), 1e-9 * all.weight()) << what;
        EXPECT_EQ(before.samples(), 20) << what;
      }
    }
  }
}

TEST(DecayedMomentsTest, ClearedAreAsNew) {
  DecayedMoments moments(1, 3);
  moments.Add({{5}, {2}});
  moments.Clear();
  EXPECT_EQ(moments.samples(), 0);
  EXPECT_EQ(moments.mean()[0], 0);
  EXPECT_EQ(moments.variance()[0], 0);
  moments.Add({{-1}, {4}});
  EXPECT_EQ(moments.mean()[0], -1);
  EXPECT_EQ(moments.variance()[0], 4);
  EXPECT_EQ(moments.weight(), 1);
}

}  // namespace
}  // namespace stillwave::drift
