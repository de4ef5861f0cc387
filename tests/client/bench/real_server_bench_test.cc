// `stillwave bench` against the real server with its embedded demonstration model. Counts add up; nothing here says how
// fast anything is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>

#include "client/bench/server_stats.h"
#include "server/base/check.h"
#include "tests/client/client_process.h"
#include "tests/support/server_fixture.h"

namespace stillwave::client {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class RealServerBench : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    // A queue this short refuses what a sweep to 32 in flight brings.
    auto server = test_support::ServerProcess::Start({"--max_queue_samples=4", "--workers=1", "--max_batch_size=2"});
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = server->release();
  }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  void SetUp() override { ASSERT_NE(server_, nullptr); }

  static std::vector<std::string> Command(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "bench");
    arguments.insert(arguments.end(), {"--server", server_->grpc_address()});
    return arguments;
  }
  static ClientResult Bench(const std::vector<std::string>& arguments) { return RunClient(Command(arguments)); }
  static json Steps(const std::vector<std::string>& arguments) {
    const ClientResult result = Bench(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    const json parsed = json::parse(result.out, nullptr, /*allow_exceptions=*/false);
    EXPECT_TRUE(parsed.contains("steps")) << result.out << result.err;
    return parsed.value("steps", json::array());
  }
  // Requests that the server has computed so far.
  static double Computed() {
    const auto stats = bench::FetchServerStats(server_->http_address(), "ecg-beats", absl::Seconds(30));
    SW_CHECK_OK(stats.status());
    return stats->computed;
  }
  static void ExpectCountsAddUp(const json& step) {
    EXPECT_EQ(step["sent"],
              step["ok"].get<int64_t>() + step["errors"].get<int64_t>() + step["abandoned"].get<int64_t>())
        << step;
    int64_t errors = 0;
    for (const auto& [code, group] : step["codes"].items()) errors += group["count"].get<int64_t>();
    EXPECT_EQ(errors, step["errors"]) << step;
  }

  static test_support::ServerProcess* server_;
};

test_support::ServerProcess* RealServerBench::server_ = nullptr;

TEST_F(RealServerBench, AClosedLoopAnswersEveryRequestOfEachStep) {
  const json steps = Steps({"--window", "128", "--concurrency", "1:4:x2", "--requests", "60", "--warmup", "0",
                            "--connections", "2", "--threads", "2", "--batch", "1", "--json"});
  ASSERT_EQ(steps.size(), 3u);
  for (const json& step : steps) {
    ExpectCountsAddUp(step);
    EXPECT_EQ(step["sent"], 60);
    EXPECT_EQ(step["ok"], 60);
    EXPECT_FALSE(step["latency_ms"]["p99.9"].is_null());
    EXPECT_FALSE(step.contains("send_delay_ms"));
  }
  EXPECT_EQ(steps[2]["concurrency"], 4);
}

TEST_F(RealServerBench, AnOpenLoopSendsWhatItsScheduleSays) {
  for (const char* arrivals : {"poisson", "constant"}) {
    const json steps = Steps(
        {"--window", "128", "--rate", "300", "--arrivals", arrivals, "--duration", "1", "--warmup", "0.2", "--json"});
    ASSERT_EQ(steps.size(), 1u);
    ExpectCountsAddUp(steps[0]);
    EXPECT_EQ(steps[0]["abandoned"], 0);
    // However late: a due request is sent, or counted as not sent.
    const int64_t due = steps[0]["sent"].get<int64_t>() + steps[0]["unsent"].get<int64_t>();
    if (std::string(arrivals) == "constant") {
      EXPECT_NEAR(static_cast<double>(due), 300, 1);
    } else {
      EXPECT_GT(due, 200);  // 300 on average; the seed decides
      EXPECT_LT(due, 400);
    }
    EXPECT_FALSE(steps[0]["send_delay_ms"].is_null());
  }
}

TEST_F(RealServerBench, RefusalsAreCountedByCode) {
  const json steps = Steps({"--window", "8192", "--concurrency", "32", "--requests", "400", "--warmup", "0", "--json"});
  ASSERT_EQ(steps.size(), 1u);
  ExpectCountsAddUp(steps[0]);
  EXPECT_GT(steps[0]["codes"]["RESOURCE_EXHAUSTED"]["count"], 0) << steps[0];
  EXPECT_THAT(steps[0]["codes"]["RESOURCE_EXHAUSTED"]["message"].get<std::string>(), HasSubstr("is full"));
  EXPECT_FALSE(steps[0]["refusal_latency_ms"].is_null());
}

TEST_F(RealServerBench, StreamsGetAResultForEveryWindowInBothLoops) {
  const json closed = Steps({"--stream", "--window", "128", "--hop", "32", "--concurrency", "6", "--series-per-stream",
                             "4", "--requests", "100", "--warmup", "0", "--threads", "2", "--json"});
  ASSERT_EQ(closed.size(), 1u);
  ExpectCountsAddUp(closed[0]);
  EXPECT_EQ(closed[0]["series"], 6);
  EXPECT_EQ(closed[0]["ok"], 100) << closed[0];

  const json open = Steps({"--stream", "--window", "128", "--hop", "32", "--rate", "200", "--series", "3", "--duration",
                           "0.5", "--warmup", "0.1", "--json"});
  ASSERT_EQ(open.size(), 1u);
  ExpectCountsAddUp(open[0]);
  EXPECT_EQ(open[0]["errors"], 0) << open[0];
  EXPECT_GT(open[0]["ok"], 0);
}

TEST_F(RealServerBench, MessagesMayCompleteSeveralWindows) {
  const json steps = Steps({"--stream", "--window", "128", "--hop", "32", "--concurrency", "3", "--message-windows",
                            "4", "--requests", "50", "--warmup", "0", "--json"});
  ASSERT_EQ(steps.size(), 1u);
  ExpectCountsAddUp(steps[0]);
  EXPECT_EQ(steps[0]["ok"], 50) << steps[0];
  EXPECT_EQ(steps[0]["errors"], 0) << steps[0];
  EXPECT_NEAR(steps[0]["goodput"].get<double>() * steps[0]["seconds"].get<double>(), 50, 0.5) << steps[0];
  EXPECT_NEAR(steps[0]["sent_bytes_per_answer"].get<double>(), 32 * 4, 4) << "a quarter of a message";
}

TEST_F(RealServerBench, PacedSeriesGetAResultForEveryWindowThatWasDue) {
  const json steps = Steps({"--stream",
                            "--window",
                            "128",
                            "--hop",
                            "32",
                            "--series",
                            "4",
                            "--calls",
                            "2",
                            "--sample-rate",
                            "400",
                            "--chunk",
                            "50",
                            "--duration",
                            "1",
                            "--warmup",
                            "0",
                            "--threads",
                            "2",
                            "--deadline-ms",
                            "0.001",
                            "--server-stats",
                            server_->http_address(),
                            "--json"});
  ASSERT_EQ(steps.size(), 1u);
  ExpectCountsAddUp(steps[0]);
  // 12.5 windows a second of each series, whose chunks may end a window early or late.
  EXPECT_NEAR(steps[0]["sent"].get<double>(), 50, 8) << steps[0];
  EXPECT_EQ(steps[0]["ok"], steps[0]["sent"]) << steps[0];
  EXPECT_EQ(steps[0]["late"], steps[0]["ok"]) << "no answer takes a microsecond";
  EXPECT_EQ(steps[0]["rate"], 50);
  EXPECT_GT(steps[0]["server_memory"]["open_bytes"], 0);
  EXPECT_GE(steps[0]["sent_bytes_per_answer"], 32 * 4);
}

TEST_F(RealServerBench, PrintsATableAndTheServersOwnTimes) {
  const ClientResult result =
      Bench({"--window", "128", "--requests", "20", "--warmup", "0", "--server-stats", server_->http_address()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("requests to ecg-beats at "), HasSubstr("ecg [1,1,128]"),
                                HasSubstr("in flight"), HasSubstr("compute ms")));
  EXPECT_EQ(result.err, "");
}

TEST_F(RealServerBench, AServerThatOnlyRefusesEndsIt) {
  // The model takes 2 samples at once.
  const ClientResult result = Bench({"--window", "128", "--batch", "5", "--requests", "10", "--warmup", "0"});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, HasSubstr("no request was answered with OK: "));
}

TEST_F(RealServerBench, AnUnknownModelEndsItBeforeAnythingIsSent) {
  const ClientResult result = Bench({"--model", "nothing", "--window", "128"});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, StartsWith("stillwave: bench: NOT_FOUND: "));
}

TEST_F(RealServerBench, AMissingMetricsPageEndsIt) {
  const ClientResult result = Bench({"--window", "128", "--requests", "1", "--server-stats", server_->grpc_address()});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr("cannot read http://"));
}

// The first step's row shows that the benchmark runs; the second step would last an hour.
TEST_F(RealServerBench, CtrlCPrintsWhatItHas) {
  for (const std::vector<std::string>& load : std::vector<std::vector<std::string>>{
           {"--rate", "100:200:+100"}, {"--concurrency", "1,2"}, {"--stream", "--concurrency", "1,2"}}) {
    std::vector<std::string> arguments = {"--window", "128", "--duration", "3600", "--warmup", "0"};
    arguments.insert(arguments.end(), load.begin(), load.end());
    ClientProcess client(Command(arguments));
    EXPECT_THAT(client.ReadLine(), HasSubstr("ecg-beats at "));
    client.ReadLine();
    client.ReadLine();
    EXPECT_THAT(client.ReadLine(), HasSubstr("p99.9 ms"));  // printed when all is set up
    client.Signal(SIGINT);
    const ClientResult result = client.Wait();
    EXPECT_EQ(result.exit_code, 130) << result.err;
    EXPECT_THAT(result.out, HasSubstr("errors\n  "));
  }
}

TEST_F(RealServerBench, CtrlCLeavesWholeJson) {
  const double before = Computed();
  ClientProcess client(Command({"--window", "128", "--requests", "1000000000", "--warmup", "0", "--json"}));
  while (Computed() == before) {
    // It prints nothing until its end; the server's counts show that it sends.
  }
  client.Signal(SIGTERM);
  const ClientResult result = client.Wait();
  EXPECT_EQ(result.exit_code, 130) << result.err;
  const json parsed = json::parse(result.out);
  EXPECT_EQ(parsed["steps"][0]["interrupted"], true);
  ExpectCountsAddUp(parsed["steps"][0]);
}

}  // namespace
}  // namespace stillwave::client
