// The commands against the real server with its embedded demonstration model: input ecg FP32 [-1,1,-1], three classes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/client/client_process.h"
#include "tests/support/server_fixture.h"

namespace stillwave::client {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kModel[] = "ecg-beats";

std::string Sine(int samples) {
  std::string text;
  for (int i = 0; i < samples; ++i) text += std::to_string(std::sin(0.1 * i)) + "\n";
  return text;
}

class RealServer : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto server = test_support::ServerProcess::Start({});
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = server->release();
  }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  void SetUp() override { ASSERT_NE(server_, nullptr); }

  static ClientResult Ask(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--server", server_->grpc_address()});
    return RunClient(arguments);
  }

  static test_support::ServerProcess* server_;
};

test_support::ServerProcess* RealServer::server_ = nullptr;

TEST_F(RealServer, IsHealthyAndShowsItsModel) {
  const ClientResult health = Ask({"health", kModel, "--json"});
  EXPECT_EQ(health.exit_code, 0) << health.err;
  EXPECT_EQ(json::parse(health.out)["serving"], true);
  const ClientResult models = Ask({"models", kModel, "--json"});
  ASSERT_EQ(models.exit_code, 0) << models.err;
  const json model = json::parse(models.out)["models"][0];
  EXPECT_EQ(model["ready"], true);
  EXPECT_EQ(model["inputs"][0]["shape"], json({-1, 1, -1}));
}

TEST_F(RealServer, GivesAStreamsWindowTheBitsOfTheSameWindowInABatch) {
  const std::string file = WriteTempFile("sine.csv", Sine(1000));
  const ClientResult batch =
      Ask({"infer", file, "--model", kModel, "--window", "128", "--hop", "32", "--batch", "28", "--json"});
  ASSERT_EQ(batch.exit_code, 0) << batch.err;
  const ClientResult stream =
      Ask({"stream", file, "--model", kModel, "--window", "128", "--hop", "32", "--chunk", "37", "--json"});
  ASSERT_EQ(stream.exit_code, 0) << stream.err;

  const json rows = json::parse(batch.out)["rows"];
  ASSERT_EQ(rows.size(), 28u);
  std::istringstream lines(stream.out);
  std::string line;
  std::getline(lines, line);
  EXPECT_THAT(line, StartsWith("{\"opened\":"));
  for (const json& row : rows) {
    std::getline(lines, line);
    EXPECT_EQ(json::parse(line), row) << "one and the same window";
  }
  std::getline(lines, line);
  EXPECT_EQ(json::parse(line)["summary"]["windows"], 28);
}

TEST_F(RealServer, ItsRefusalsEndWith4AndNameTheRule) {
  const std::string file = WriteTempFile("refused_sine.csv", Sine(1000));
  const ClientResult unknown = Ask({"infer", file, "--model", "nothing", "--window", "128"});
  EXPECT_EQ(unknown.exit_code, 4);
  EXPECT_THAT(unknown.err, StartsWith("stillwave: infer: NOT_FOUND: "));
  const ClientResult output = Ask({"stream", file, "--model", kModel, "--window", "128", "--output", "nothing"});
  EXPECT_EQ(output.exit_code, 4);
  EXPECT_THAT(output.err, HasSubstr("stillwave: stream: INVALID_ARGUMENT: "));
}

// Whether the server lists its models is the server's affair; the client has an answer to both.
TEST_F(RealServer, NeedsNoModelNameWhenItListsItsOnlyModel) {
  const ClientResult models = Ask({"models"});
  ASSERT_EQ(models.exit_code, 0) << models.err;
  const std::string file = WriteTempFile("unnamed_sine.csv", Sine(1000));
  const ClientResult infer = Ask({"infer", file, "--window", "128"});
  EXPECT_EQ(infer.exit_code, 0) << infer.err;
}

}  // namespace
}  // namespace stillwave::client
