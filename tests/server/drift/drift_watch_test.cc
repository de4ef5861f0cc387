#include "server/drift/drift_watch.h"

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/drift/sampling_runner.h"
#include "tests/server/model/run_model.h"
#include "tests/support/network_builder.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_models.h"

namespace stillwave::drift {
namespace {

using metrics::DriftDrop;
using tensor::Shape;
using tensor::Tensor;
using test_support::IsOk;
using ::testing::HasSubstr;
using ::testing::Not;

Tensor RandomBatch(const Shape& shape, uint64_t seed) {
  return test_support::ToTensor(test_support::RandomTensor(shape, seed));
}

// Without a thread: the test observes by hand.
class DriftWatchTest : public testing::Test {
 protected:
  void SetUp() override { Load("seed_block"); }

  void Load(const std::string& small_model, model::BatchNormMode mode = model::BatchNormMode::kPrimitive) {
    const auto model = model::LoadedModel::Load(test_support::SmallModel(small_model).model_file,
                                                {.batch_norm = mode, .keep_batch_norm = true});
    ASSERT_THAT(model, IsOk());
    model_ = *model;
  }

  std::shared_ptr<DriftWatch> Watch(model::DriftOptions options = {1, 1000, 1}) {
    return std::make_shared<DriftWatch>(model_, options, &counters_, all_metrics_.drift().ForVersion("m", "1"), bell_);
  }
  int ObserveAll(DriftWatch& watch) {
    int observed = 0;
    while (watch.ObserveNext(context_)) ++observed;
    return observed;
  }
  double dropped(DriftDrop reason) const { return counters_.drift_drops[static_cast<size_t>(reason)]->Value(); }
  double observed() const { return counters_.drift_samples->Value(); }
  bool HasGauges() const { return all_metrics_.Text().find("stillwave_batchnorm_divergence{") != std::string::npos; }

  metrics::ServerMetrics all_metrics_;
  const metrics::ModelMetrics& counters_ = all_metrics_.ForModel("m", "1");
  std::shared_ptr<const model::LoadedModel> model_;
  std::shared_ptr<SampleBell> bell_ = std::make_shared<SampleBell>();
  execution::ExecutionContext context_;
};

TEST_F(DriftWatchTest, EveryRowOfABatchIsASample) {
  const auto watch = Watch();
  ASSERT_EQ(watch->layers(), 3u);
  const Tensor batch = RandomBatch({5, 3, 80}, 1);
  watch->Offer({batch.view()});
  EXPECT_EQ(ObserveAll(*watch), 5);
  EXPECT_EQ(watch->Report().samples, 5);
  EXPECT_EQ(observed(), 5);

  // As the same rows one by one.
  const auto one_by_one = Watch();
  for (int64_t row = 0; row < 5; ++row) {
    const Tensor sample = model::TakeRows(batch.view(), {row});
    one_by_one->Offer({sample.view()});
  }
  ObserveAll(*one_by_one);
  const DriftReport together = watch->Report();
  const DriftReport apart = one_by_one->Report();
  for (size_t i = 0; i < together.layers.size(); ++i) {
    EXPECT_EQ(together.layers[i].live_mean, apart.layers[i].live_mean);
    EXPECT_EQ(together.layers[i].live_variance, apart.layers[i].live_variance);
  }
}

TEST_F(DriftWatchTest, SamplesOfOtherLengthsCountAsMuch) {
  const auto watch = Watch();
  for (const int64_t length : {80, 200, 33, 80}) {
    const Tensor sample = RandomBatch({1, 3, length}, static_cast<uint64_t>(length));
    watch->Offer({sample.view()});
  }
  EXPECT_EQ(ObserveAll(*watch), 4);
  EXPECT_EQ(watch->Report().samples, 4);
  EXPECT_NEAR(watch->Report().weight, 4, 0.01);
}

TEST_F(DriftWatchTest, TheShareThatIsTakenIsTheOneThatWasAskedFor) {
  for (const double rate : {0.01, 0.1, 0.5}) {
    const auto watch = Watch({rate, 1000, 1});
    const double before = observed();
    const Tensor batch = RandomBatch({32, 3, 8}, 2);
    for (int n = 0; n < 200; ++n) {
      watch->Offer({batch.view()});
      ObserveAll(*watch);
    }
    // 6400 samples: four standard deviations of a fair draw.
    const double expected = rate * 6400;
    EXPECT_NEAR(observed() - before, expected, 4 * std::sqrt(expected * (1 - rate))) << rate;
  }
  EXPECT_EQ(dropped(DriftDrop::kQueueFull), 0);
}

TEST_F(DriftWatchTest, ASampleThatIsMostlyOldIsTakenAsMuchMoreRarely) {
  const Tensor batch = RandomBatch({32, 3, 8}, 2);
  for (const double rate : {0.1, 1.0}) {
    const auto watch = Watch({rate, 1000, 1});
    const double before = observed();
    for (int n = 0; n < 200; ++n) {
      watch->Offer({batch.view()}, [](int64_t row) { return row < 16 ? 1 : 0.125; });
      ObserveAll(*watch);
    }
    const double expected = rate * (3200 + 3200 * 0.125);
    EXPECT_NEAR(observed() - before, expected, 4 * std::sqrt(expected)) << rate;
  }
  EXPECT_EQ(dropped(DriftDrop::kQueueFull), 0);
}

TEST_F(DriftWatchTest, ThereIsNoFigureBeforeEnoughSamples) {
  const auto watch = Watch({1, 1000, 3});
  const Tensor batch = RandomBatch({2, 3, 80}, 3);
  watch->Offer({batch.view()});
  ObserveAll(*watch);
  EXPECT_FALSE(watch->Report().sufficient);
  EXPECT_FALSE(HasGauges());
  watch->Offer({batch.view()});
  ObserveAll(*watch);
  EXPECT_TRUE(watch->Report().sufficient);
  const std::string text = all_metrics_.Text();
  const DriftReport report = watch->Report();
  for (const LayerReport& layer : report.layers) {
    for (const char* statistic : {"mean", "max"}) {
      EXPECT_THAT(text, HasSubstr(absl::StrCat("stillwave_batchnorm_divergence{layer=\"", layer.name,
                                               "\",model=\"m\",statistic=\"", statistic, "\",version=\"1\"} ")));
    }
  }
  EXPECT_THAT(text, HasSubstr("stillwave_batchnorm_mean_shift{"));
  EXPECT_THAT(text, HasSubstr("stillwave_batchnorm_variance_ratio{"));
  EXPECT_THAT(text, Not(HasSubstr(" Nan")));
}

TEST_F(DriftWatchTest, AResetForgetsWhatWasSeenAndWhatWaits) {
  const auto watch = Watch();
  const Tensor batch = RandomBatch({4, 3, 80}, 4);
  watch->Offer({batch.view()});
  ObserveAll(*watch);
  watch->Offer({batch.view()});
  EXPECT_EQ(watch->Reset(), 4);
  EXPECT_EQ(ObserveAll(*watch), 0);
  const DriftReport report = watch->Report();
  EXPECT_EQ(report.samples, 0);
  EXPECT_EQ(report.weight, 0);
  for (const LayerReport& layer : report.layers) {
    EXPECT_THAT(layer.live_mean, testing::Each(0));
    EXPECT_EQ(layer.summary.max.divergence, 0);
  }
  EXPECT_FALSE(HasGauges());
  watch->Offer({batch.view()});
  ObserveAll(*watch);
  EXPECT_EQ(watch->Report().samples, 4);
  EXPECT_TRUE(HasGauges());
}

TEST_F(DriftWatchTest, GaugesGoWithTheVersionAndNotWithOneThatCameBefore) {
  const Tensor batch = RandomBatch({1, 3, 80}, 5);
  auto before = Watch();
  before->Offer({batch.view()});
  ObserveAll(*before);
  auto after = Watch();
  after->Offer({batch.view()});
  ObserveAll(*after);
  before.reset();
  EXPECT_TRUE(HasGauges());
  after.reset();
  EXPECT_FALSE(HasGauges());
}

TEST_F(DriftWatchTest, WhatFindsNoPlaceIsDroppedAndCounted) {
  const auto watch = Watch();
  const auto most = static_cast<int64_t>(DriftWatch::kMaxWaitingSamples);
  const Tensor batch = RandomBatch({most + 10, 3, 8}, 6);
  watch->Offer({batch.view()});
  EXPECT_EQ(dropped(DriftDrop::kQueueFull), 10);
  EXPECT_EQ(ObserveAll(*watch), most);
}

TEST_F(DriftWatchTest, BytesThatWaitAreBoundedAndOneSampleMayAlwaysWait) {
  const auto watch = Watch();
  // 12 bytes a time step: more than half of what may wait, each.
  const Tensor large = *Tensor::Create(tensor::DataType::kFloat32,
                                       {1, 3, static_cast<int64_t>(DriftWatch::kMaxWaitingBytes / 12 / 2 + 1000)});
  watch->Offer({large.view()});
  watch->Offer({large.view()});
  EXPECT_EQ(dropped(DriftDrop::kQueueFull), 1);
  watch->Reset();
  const Tensor larger = *Tensor::Create(tensor::DataType::kFloat32,
                                        {1, 3, static_cast<int64_t>(DriftWatch::kMaxWaitingBytes / 12 + 1000)});
  watch->Offer({larger.view()});
  EXPECT_EQ(dropped(DriftDrop::kQueueFull), 1);
  watch->Offer({larger.view()});
  EXPECT_EQ(dropped(DriftDrop::kQueueFull), 2);
}

TEST_F(DriftWatchTest, ASampleThatMakesNoNumbersIsNotLearned) {
  const auto watch = Watch();
  Tensor sample = RandomBatch({1, 3, 80}, 7);
  sample.mutable_values<float>()[17] = std::numeric_limits<float>::quiet_NaN();
  watch->Offer({sample.view()});
  EXPECT_EQ(ObserveAll(*watch), 1);
  EXPECT_EQ(watch->Report().samples, 0);
  EXPECT_EQ(observed(), 0);
  EXPECT_EQ(dropped(DriftDrop::kNotFinite), 1);
}

TEST_F(DriftWatchTest, ASampleThatCannotBeRunIsDroppedAndTheNextIsObserved) {
  const auto watch = Watch();
  const Tensor wrong = RandomBatch({1, 4, 80}, 8);
  const Tensor right = RandomBatch({1, 3, 80}, 8);
  watch->Offer({wrong.view()});
  watch->Offer({right.view()});
  EXPECT_EQ(ObserveAll(*watch), 2);
  EXPECT_EQ(watch->Report().samples, 1);
  EXPECT_EQ(dropped(DriftDrop::kFailed), 1);
}

TEST_F(DriftWatchTest, FoldedLayersAreWatchedAsThoseThatAreNot) {
  const Tensor batch = RandomBatch({4, 3, 80}, 9);
  const auto primitive = Watch();
  primitive->Offer({batch.view()});
  ObserveAll(*primitive);
  Load("seed_block", model::BatchNormMode::kFolded);
  EXPECT_EQ(model_->batch_norm_layers(), 0);
  const auto folded = Watch();
  folded->Offer({batch.view()});
  ObserveAll(*folded);
  const DriftReport want = primitive->Report();
  const DriftReport got = folded->Report();
  ASSERT_EQ(got.layers.size(), want.layers.size());
  for (size_t i = 0; i < got.layers.size(); ++i) {
    EXPECT_EQ(got.layers[i].name, want.layers[i].name);
    EXPECT_THAT(got.layers[i].live_mean, testing::Pointwise(testing::DoubleNear(1e-5), want.layers[i].live_mean));
  }
}

TEST_F(DriftWatchTest, ARunnerThatIsWatchedAnswersAsBeforeAndItsSamplesAreOffered) {
  const auto watch = Watch();
  const SamplingRunner runner(model_, watch);
  const Tensor batch = RandomBatch({3, 3, 80}, 10);
  const auto shapes = runner.OutputShapes({batch.shape()});
  ASSERT_THAT(shapes, IsOk());
  const auto want = model::RunModel(*model_, context_, {batch.view()});
  ASSERT_THAT(want, IsOk());
  Tensor got = *Tensor::Create(tensor::DataType::kFloat32, (*shapes)[0]);
  ASSERT_THAT(runner.Run(context_, {batch.view()}, {got.mutable_view()}), IsOk());
  EXPECT_EQ(got.values<float>(), (*want)[0].values<float>());
  EXPECT_EQ(ObserveAll(*watch), 3);

  // What follows the model's inputs, as the tickets of windows do, is not for the observer.
  const Tensor ticket = Tensor::FromValues<int64_t>({3, 2}, {0, 0, 0, 0, 0, 0});
  watch->Offer({batch.view(), ticket.view()});
  EXPECT_EQ(ObserveAll(*watch), 3);
  EXPECT_EQ(watch->Report().samples, 6);
  EXPECT_EQ(dropped(DriftDrop::kFailed), 0);
}

TEST_F(DriftWatchTest, ARunThatFailsIsNotSampled) {
  const auto watch = Watch();
  const SamplingRunner runner(model_, watch);
  const Tensor wrong = RandomBatch({1, 4, 80}, 11);
  Tensor output = *Tensor::Create(tensor::DataType::kFloat32, {1, 1});
  EXPECT_THAT(runner.Run(context_, {wrong.view()}, {output.mutable_view()}), Not(IsOk()));
  EXPECT_EQ(ObserveAll(*watch), 0);
}

TEST_F(DriftWatchTest, EveryNormalizationOfOtherKindsOfNetworksIsWatched) {
  for (const char* name : {"bn_mlp", "post_relu_bn", "resnet2d", "m5_audio", "bn_extremes"}) {
    Load(name);
    const auto watch = Watch();
    EXPECT_EQ(watch->layers(), static_cast<size_t>(model_->batch_norm_layers())) << name;
    EXPECT_GT(watch->layers(), 0u) << name;
    const auto cases = test_support::LoadCases(test_support::SmallModel(name));
    ASSERT_THAT(cases, IsOk());
    const std::vector<tensor::TensorView> inputs = model::InputsOf(*model_, (*cases)[0]);
    watch->Offer(inputs);
    EXPECT_EQ(ObserveAll(*watch), inputs[0].shape[0]) << name;
    EXPECT_EQ(watch->Report().samples, inputs[0].shape[0]) << name;
  }
}

}  // namespace
}  // namespace stillwave::drift
