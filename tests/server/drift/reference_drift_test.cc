// The demonstration model's live statistics against a forward pass in plain numpy.
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/drift/drift_watch.h"
#include "server/model/demo_model.h"
#include "tests/server/drift/reference_file.h"
#include "tests/support/ecg_recording.h"
#include "tests/support/status_matchers.h"

namespace stillwave::drift {
namespace {

using nlohmann::json;
using tensor::Tensor;
using test_support::IsOk;
using test_support::ReadEcgRecording;

// Twice the gain on a wandering baseline.
std::vector<float> Change(const std::vector<float>& clean, const json& demo) {
  std::vector<float> changed;
  const double angle = 2 * 3.14159265358979323846 * demo["wander_hertz"].get<double>() / demo["rate"].get<double>();
  for (size_t i = 0; i < clean.size(); ++i) {
    changed.push_back(
        static_cast<float>(demo["gain"].get<double>() * static_cast<double>(clean[i]) +
                           demo["wander_millivolt"].get<double>() * std::sin(angle * static_cast<double>(i))));
  }
  return changed;
}

class ReferenceDriftTest : public testing::Test {
 protected:
  DriftReport Observe(const std::vector<float>& signal, const json& demo) {
    const auto model = model::LoadedModel::LoadFromBytes(model::DemoModelBytes(), {});
    EXPECT_THAT(model, IsOk());
    metrics::ServerMetrics metrics;
    DriftWatch watch(*model, {1, demo["half_life"], 1}, &metrics.ForModel("ecg", "1"),
                     metrics.drift().ForVersion("ecg", "1"), std::make_shared<SampleBell>());
    execution::ExecutionContext context;
    const size_t window = demo["window"];
    for (int i = 0; i < demo["windows"]; ++i) {
      const size_t first = demo["first_sample"].get<size_t>() + static_cast<size_t>(i) * demo["hop"].get<size_t>();
      const Tensor x = Tensor::FromValues<float>({1, 1, static_cast<int64_t>(window)},
                                                 absl::MakeConstSpan(signal).subspan(first, window));
      watch.Offer({x.view()});
      EXPECT_TRUE(watch.ObserveNext(context));
    }
    return watch.Report();
  }

  // Convolutions in float32 against float64; what a channel may differ by goes with its spread, not with its mean.
  void ExpectSame(const DriftReport& got, const json& want) {
    ASSERT_EQ(got.layers.size(), want["layers"].size());
    for (size_t i = 0; i < got.layers.size(); ++i) {
      const LayerReport& layer = got.layers[i];
      const json& expected = want["layers"][i];
      EXPECT_EQ(layer.name, expected["name"].get<std::string>());
      const std::vector<double> mean = ToDoubles(expected["mean"]);
      const std::vector<double> variance = ToDoubles(expected["variance"]);
      ASSERT_EQ(layer.live_mean.size(), mean.size());
      for (size_t c = 0; c < mean.size(); ++c) {
        EXPECT_NEAR(layer.live_mean[c], mean[c], 1e-5 * std::sqrt(variance[c])) << layer.name << " channel " << c;
        EXPECT_NEAR(layer.live_variance[c], variance[c], 1e-5 * variance[c]) << layer.name << " channel " << c;
      }
      const auto expect_figures = [&](const ChannelDrift& figures, const char* statistic) {
        EXPECT_NEAR(figures.mean_shift, expected["mean_shift"][statistic], 1e-5) << layer.name;
        EXPECT_NEAR(figures.variance_ratio, expected["variance_ratio"][statistic], 1e-4) << layer.name;
        EXPECT_NEAR(figures.divergence, expected["divergence"][statistic], 1e-4) << layer.name;
      };
      expect_figures(layer.summary.mean, "mean");
      expect_figures(layer.summary.max, "max");
    }
  }
};

TEST_F(ReferenceDriftTest, LiveStatisticsOfARealRecordingAreWhatNumpySays) {
  const json demo = ReadReference()["demo"];
  ExpectSame(Observe(ReadEcgRecording(), demo), demo["clean"]);
}

TEST_F(ReferenceDriftTest, SoAreThoseOfARecordingWithAnotherGainAndAWanderingBaseline) {
  const json demo = ReadReference()["demo"];
  ExpectSame(Observe(Change(ReadEcgRecording(), demo), demo), demo["changed"]);
}

TEST_F(ReferenceDriftTest, TheChangeIsSeenInEveryLayer) {
  const json demo = ReadReference()["demo"];
  const std::vector<float> clean = ReadEcgRecording();
  const DriftReport before = Observe(clean, demo);
  const DriftReport after = Observe(Change(clean, demo), demo);
  for (size_t i = 0; i < before.layers.size(); ++i) {
    EXPECT_GT(after.layers[i].summary.mean.divergence, 1.3 * before.layers[i].summary.mean.divergence)
        << before.layers[i].name;
  }
}

}  // namespace
}  // namespace stillwave::drift
