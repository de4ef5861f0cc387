// `stillwave drift` against the real server, which observes every sample.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/client/client_process.h"
#include "tests/support/server_fixture.h"

namespace stillwave::client {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kRecording[] = STILLWAVE_SOURCE_DIR "/tests/data/ecg/ecg_360hz.npy";

class RealServerDrift : public testing::Test {
 protected:
  void SetUp() override {
    auto server = test_support::ServerProcess::Start({"--drift_sample_rate=1"});
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = *std::move(server);
  }

  ClientResult Ask(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--server", server_->grpc_address()});
    return RunClient(arguments);
  }
  void Stream() {
    const ClientResult stream =
        Ask({"stream", kRecording, "--window", "128", "--hop", "90", "--from", "86400", "--json"});
    ASSERT_EQ(stream.exit_code, 0) << stream.err;
  }
  // As soon as what was sent is observed or dropped.
  json AwaitReport(int64_t samples) {
    json report;
    do {
      const ClientResult result = Ask({"drift", "--json", "--watch", "0.1", "--reports", "2"});
      EXPECT_EQ(result.exit_code, 0) << result.err;
      if (result.exit_code != 0) return report;
      std::istringstream lines(result.out);
      for (std::string line; std::getline(lines, line);) report = json::parse(line);
    } while (report["samples"].get<int64_t>() + report["dropped_samples"].get<int64_t>() < samples);
    return report;
  }

  std::unique_ptr<test_support::ServerProcess> server_;
};

TEST_F(RealServerDrift, ShowsLayersOrChannelsAndForgetsWhenItIsTold) {
  const ClientResult before = Ask({"drift"});
  ASSERT_EQ(before.exit_code, 0) << before.err;
  EXPECT_THAT(before.out, StartsWith("ecg-beats version 1: 0 samples observed (100 % of all), half-life 1000\n"
                                     "fewer than 100 samples"));
  Stream();
  const json report = AwaitReport(239);
  EXPECT_EQ(report["samples"].get<int64_t>() + report["dropped_samples"].get<int64_t>(), 239);
  EXPECT_GT(report["samples"], 0);
  ASSERT_EQ(report["layers"].size(), 3u);
  EXPECT_GT(report["layers"][0]["mean"]["divergence"], 0);
  EXPECT_EQ(report["layers"][1]["channels"]["live_mean"].size(), 128u);

  const ClientResult table = Ask({"drift", "ecg-beats", "--version", "1"});
  ASSERT_EQ(table.exit_code, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("\nlayer "));
  EXPECT_THAT(table.out, HasSubstr("/9/BatchNormalization "));
  const ClientResult map = Ask({"drift", "--heat-map"});
  ASSERT_EQ(map.exit_code, 0) << map.err;
  EXPECT_THAT(map.out, testing::ContainsRegex("\n/1/BatchNormalization  [.:=+*oO#@-]{64}\n"));

  const ClientResult reset = Ask({"drift", "--reset", "--json"});
  ASSERT_EQ(reset.exit_code, 0) << reset.err;
  EXPECT_EQ(json::parse(reset.out)["forgotten_samples"], report["samples"]);
  EXPECT_EQ(json::parse(Ask({"drift", "--json"}).out)["samples"], 0);
}

TEST_F(RealServerDrift, RefusalsEndWith4) {
  const ClientResult unknown = Ask({"drift", "nothing"});
  EXPECT_EQ(unknown.exit_code, 4);
  EXPECT_THAT(unknown.err, StartsWith("stillwave: drift: NOT_FOUND: "));
  const ClientResult watch = Ask({"drift", "nothing", "--watch", "1"});
  EXPECT_EQ(watch.exit_code, 4);
}

TEST(DriftUsage, WhatDoesNotGoTogetherIsRefused) {
  EXPECT_EQ(RunClient({"drift", "--reset", "--watch", "1"}).exit_code, 2);
  EXPECT_EQ(RunClient({"drift", "--reports", "3"}).exit_code, 2);
  EXPECT_EQ(RunClient({"drift", "--watch", "0.01"}).exit_code, 2);
}

}  // namespace
}  // namespace stillwave::client
