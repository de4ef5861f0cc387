// A layer that its exporter folded is watched like one that was kept, when the file tells of it.
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "server/drift/drift_watch.h"
#include "tests/support/network_builder.h"
#include "tests/support/onnx_file.h"
#include "tests/support/status_matchers.h"

namespace stillwave::drift {
namespace {

using tensor::Tensor;
using test_support::IsOk;
using test_support::OnnxFile;

const std::vector<float> kWeights = {0.5F, -1.5F, 2};
const std::vector<float> kScale = {2, -0.25F, 0};
const std::vector<float> kShift = {0.5F, -1, 3};
const std::vector<float> kMean = {0.25F, -0.5F, 1};
const std::vector<float> kVariance = {0.5F, 2, 4};
constexpr float kEpsilon = 1e-5F;

std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7) bytes += static_cast<char>(value % 128 + 128);
  return bytes + static_cast<char>(value);
}
std::string Field(int number, const std::string& bytes) {
  return Varint(static_cast<uint64_t>(number) * 8 + 2) + Varint(bytes.size()) + bytes;
}
// Of ModelProto, whose serialized fields may stand in any order: metadata_props is number 14.
std::string WithMetadata(const OnnxFile& file, const std::string& key, const std::string& value) {
  return file.Bytes() + Field(14, Field(1, key) + Field(2, value));
}

std::string Base64(const std::vector<float>& values) {
  return absl::Base64Escape(
      absl::string_view(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)));
}

// Conv 1 -> 3, BN, ReLU.
OnnxFile Kept() {
  OnnxFile file;
  file.Input("x", {-1, 1, -1})
      .Weight("w", {3, 1, 1}, kWeights)
      .Weight("bn.weight", {3}, kScale)
      .Weight("bn.bias", {3}, kShift)
      .Weight("bn.running_mean", {3}, kMean)
      .Weight("bn.running_var", {3}, kVariance)
      .Node("Conv", {"x", "w"}, "conv")
      .Node("BatchNormalization", {"conv", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"}, "y")
      .Node("Relu", {"y"}, "z")
      .Output("z");
  return file;
}

OnnxFile Folded() {
  std::vector<float> weights;
  std::vector<float> bias;
  for (size_t c = 0; c < kScale.size(); ++c) {
    const float factor = kScale[c] / std::sqrt(kVariance[c] + kEpsilon);
    weights.push_back(kWeights[c] * factor);
    bias.push_back(kShift[c] - kMean[c] * factor);
  }
  OnnxFile file;
  file.Input("x", {-1, 1, -1})
      .Weight("w", {3, 1, 1}, weights)
      .Weight("b", {3}, bias)
      .Node("Conv", {"x", "w", "b"}, "y")
      .Node("Relu", {"y"}, "z")
      .Output("z");
  return file;
}

std::string Entry() {
  return nlohmann::json({{"layer", "bn"},
                         {"channels", 3},
                         {"epsilon", static_cast<double>(kEpsilon)},
                         {"mean", Base64(kMean)},
                         {"variance", Base64(kVariance)},
                         {"scale", Base64(kScale)},
                         {"shift", Base64(kShift)}})
      .dump();
}

class FoldedWatchTest : public testing::Test {
 protected:
  std::shared_ptr<DriftWatch> Watch(const std::string& file, bool keep = true) {
    const auto model = model::LoadedModel::LoadFromBytes(file, {.keep_batch_norm = keep});
    EXPECT_THAT(model, IsOk());
    return std::make_shared<DriftWatch>(*model, model::DriftOptions{1, 50, 1}, &metrics_.ForModel("m", "1"),
                                        metrics_.drift().ForVersion("m", "1"), bell_);
  }
  DriftReport Observe(DriftWatch& watch) {
    for (uint64_t seed = 0; seed < 10; ++seed) {
      const Tensor x = test_support::ToTensor(test_support::RandomTensor({1, 1, 40}, seed));
      watch.Offer({x.view()});
      EXPECT_TRUE(watch.ObserveNext(context_));
    }
    return watch.Report();
  }

  metrics::ServerMetrics metrics_;
  std::shared_ptr<SampleBell> bell_ = std::make_shared<SampleBell>();
  execution::ExecutionContext context_;
};

TEST_F(FoldedWatchTest, ItsFiguresAreThoseOfTheLayerThatWasKept) {
  const DriftReport kept = Observe(*Watch(Kept().Bytes()));
  const auto watch = Watch(WithMetadata(Folded(), "stillwave.batchnorm.y", Entry()));
  ASSERT_EQ(watch->layers(), 1u);
  const DriftReport folded = Observe(*watch);
  EXPECT_EQ(folded.samples, 10);
  const LayerReport& got = folded.layers[0];
  const LayerReport& want = kept.layers[0];
  EXPECT_EQ(got.name, "bn");
  EXPECT_EQ(got.stored.mean, want.stored.mean);
  EXPECT_EQ(got.stored.variance, want.stored.variance);
  for (size_t c = 0; c < 2; ++c) {
    EXPECT_NEAR(got.live_mean[c], want.live_mean[c], 1e-5) << c;
    EXPECT_NEAR(got.live_variance[c], want.live_variance[c], 1e-5) << c;
    EXPECT_NEAR(got.channels[c].divergence, want.channels[c].divergence, 1e-5) << c;
    EXPECT_GT(got.channels[c].divergence, 0.01) << c;
  }
  // Nothing of the third channel is left in the file.
  EXPECT_NEAR(got.channels[2].divergence, 0, 1e-12);
  EXPECT_NEAR(got.live_mean[2], static_cast<double>(kMean[2]), 1e-12);
}

TEST_F(FoldedWatchTest, AnEntryThatCannotBeReadIsPassedOver) {
  EXPECT_EQ(Watch(WithMetadata(Folded(), "stillwave.batchnorm.nothing", Entry()))->layers(), 0u);
  EXPECT_EQ(Watch(WithMetadata(Folded(), "stillwave.batchnorm.y", "[]"))->layers(), 0u);
  EXPECT_EQ(Watch(WithMetadata(Folded(), "author", Entry()))->layers(), 0u);
  EXPECT_EQ(Watch(Folded().Bytes())->layers(), 0u);
}

TEST_F(FoldedWatchTest, NothingIsKeptWhereNothingIsToBeWatched) {
  EXPECT_EQ(Watch(WithMetadata(Folded(), "stillwave.batchnorm.y", Entry()), /*keep=*/false)->layers(), 0u);
}

TEST_F(FoldedWatchTest, AnEntryOfAnotherNumberOfChannelsIsNotObserved) {
  OnnxFile file;
  file.Input("x", {-1, 1, -1}).Weight("w", {2, 1, 1}, {1, 2}).Node("Conv", {"x", "w"}, "y").Output("y");
  const auto watch = Watch(WithMetadata(file, "stillwave.batchnorm.y", Entry()));
  const Tensor x = test_support::ToTensor(test_support::RandomTensor({1, 1, 40}, 1));
  watch->Offer({x.view()});
  EXPECT_TRUE(watch->ObserveNext(context_));
  EXPECT_EQ(watch->Report().samples, 0);
}

}  // namespace
}  // namespace stillwave::drift
