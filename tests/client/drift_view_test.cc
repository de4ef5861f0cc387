#include "client/drift_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "client/json_output.h"

namespace stillwave::client {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

DriftLayer Layer(const std::string& name, const std::vector<double>& divergences) {
  DriftLayer layer{.name = name, .mean = {0.25, 1.5, 0}, .max = {0.5, 2, 0}, .epsilon = 1e-5};
  for (const double divergence : divergences) {
    layer.channels.push_back({1, 2, 3, 4, {0.1, 1.2, divergence}});
    layer.mean.divergence += divergence / static_cast<double>(divergences.size());
    layer.max.divergence = std::max(layer.max.divergence, divergence);
  }
  return layer;
}

DriftInfo Info(std::vector<DriftLayer> layers) {
  DriftInfo info;
  info.model_name = "ecg";
  info.model_version = "3";
  info.sample_rate = 0.01;
  info.half_life_samples = 1000;
  info.minimum_samples = 100;
  info.sufficient = true;
  info.samples = 2500;
  info.layers = std::move(layers);
  return info;
}

TEST(DriftView, TheHeadlineSaysWhatWasObserved) {
  DriftInfo info = Info({});
  EXPECT_EQ(DriftHeadline(info), "ecg version 3: 2500 samples observed (1 % of all), half-life 1000\n");
  info.dropped_samples = 7;
  info.sufficient = false;
  info.samples = 12;
  EXPECT_EQ(DriftHeadline(info),
            "ecg version 3: 12 samples observed (1 % of all), half-life 1000, 7 dropped\n"
            "fewer than 100 samples: the figures say little yet\n");
}

TEST(DriftView, TheTableBeginsWithTheLayerThatDivergesMost) {
  EXPECT_EQ(DriftTable(Info({Layer("a", {0.1, 0.3}), Layer("b", {0.5, 1.5, 1}), Layer("c", {0})})),
            "layer  channels  divergence  max  mean shift  max  variance ratio  max\n"
            "b             3           1  1.5        0.25  0.5             1.5    2\n"
            "a             2         0.2  0.3        0.25  0.5             1.5    2\n"
            "c             1           0    0        0.25  0.5             1.5    2\n");
}

TEST(DriftView, TheMapHasARowForEachLayerInTheirOrderAndACellForEachChannel) {
  const std::string map = DriftHeatMap(
      Info({Layer("one", {0, 0.03, 0.07, 0.15, 0.3}), Layer("three", {0.7, 1, 3, 7, 50})}), HeatMapStyle::kAscii);
  EXPECT_THAT(map, StartsWith("one    .:-=+\n"
                              "three  *oO#@\n"
                              "divergence  . below 0.02  : 0.02  - 0.05  = 0.1  + 0.2  * 0.5  o 1  O 2  # 5  @ 20\n"));
}

TEST(DriftView, ACellOfAWideLayerShowsTheLargestOfItsChannels) {
  std::vector<double> divergences(256, 0);
  divergences[7] = 30;    // of the second cell
  divergences[255] = 30;  // of the last
  const std::string map = DriftHeatMap(Info({Layer("wide", divergences)}), HeatMapStyle::kAscii);
  EXPECT_THAT(map, StartsWith("wide  .@" + std::string(61, '.') + "@\n"));
}

TEST(DriftView, ColorsAreOfThe256AndEndWithEachCell) {
  const std::string map = DriftHeatMap(Info({Layer("a", {50})}), HeatMapStyle::kColor);
  EXPECT_THAT(map, StartsWith("a  \x1b[38;5;201m█\x1b[0m\n"));
  EXPECT_THAT(DriftHeatMap(Info({Layer("a", {50})}), HeatMapStyle::kAscii), Not(HasSubstr("\x1b")));
}

TEST(DriftView, ALayersNameDoesNotSteerTheTerminal) {
  const DriftInfo info = Info({Layer("a\x1b[2J", {0})});
  EXPECT_THAT(DriftHeatMap(info, HeatMapStyle::kAscii), StartsWith("a\\x1b[2J  .\n"));
  EXPECT_THAT(DriftTable(info), Not(HasSubstr("\x1b")));
}

TEST(DriftView, JsonHasEveryFigureOfEveryChannel) {
  const nlohmann::json json = nlohmann::json::parse(DriftJson(Info({Layer("a", {0.5, 0.25})})));
  EXPECT_EQ(json["model"], "ecg");
  EXPECT_EQ(json["version"], "3");
  EXPECT_EQ(json["samples"], 2500);
  EXPECT_EQ(json["sufficient"], true);
  EXPECT_EQ(json["layers"][0]["name"], "a");
  EXPECT_EQ(json["layers"][0]["max"]["divergence"], 0.5);
  EXPECT_EQ(json["layers"][0]["channels"]["divergence"], nlohmann::json({0.5, 0.25}));
  EXPECT_EQ(json["layers"][0]["channels"]["live_variance"], nlohmann::json({2, 2}));
  EXPECT_EQ(json["layers"][0]["channels"]["stored_mean"], nlohmann::json({3, 3}));
}

}  // namespace
}  // namespace stillwave::client
