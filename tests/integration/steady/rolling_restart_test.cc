// Two servers behind one client, restarted in turn under load: the client sees no failure.
#include <signal.h>

#include <array>
#include <fstream>
#include <sstream>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "tests/integration/steady/busy_clients.h"
#include "tests/integration/steady/server_figures.h"
#include "tests/integration/steady/test_length.h"

namespace stillwave::integration {
namespace {

// What users are told to copy.
std::string PublishedServiceConfig() {
  std::ostringstream text;
  text << std::ifstream(absl::StrCat(STILLWAVE_SOURCE_DIR, "/deploy/grpc/service_config.json")).rdbuf();
  EXPECT_NE(text.str(), "");
  return text.str();
}

class RollingRestart : public testing::Test {
 protected:
  // Restarts every server `rounds` times, one after the other, each when the other one serves.
  void RestartUnder(const std::string& service_config, int rounds, int drain_delay_seconds) {
    const std::vector<std::string> flags = {ModelFlag("seed_block"), "--workers=2",
                                            absl::StrCat("--drain_delay=", drain_delay_seconds)};
    for (auto& server : servers_) {
      server = MustServe(flags);
      ASSERT_NE(server, nullptr);
    }
    const std::string target = absl::StrCat("ipv4:", servers_[0]->grpc_address(), ",", servers_[1]->grpc_address());
    const inference::ModelInferRequest request = SeedBlockRequest(2, 300);
    std::string answer;
    {
      Client client(servers_[0]->grpc_address());
      answer = AnswerTo(client, request);
    }
    const auto channel = [&] {
      grpc::ChannelArguments arguments;
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      arguments.SetServiceConfigJSON(service_config);
      // A server that comes back is found soon; by default up to two minutes pass between attempts.
      arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
      return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
    };
    BusyClients clients(/*clients=*/4, channel, request, answer, /*until_refused=*/false);
    const auto some_more = [&] { clients.AwaitAnswers(clients.answered() + 50); };
    some_more();
    for (int i = 0; i < 2 * rounds; ++i) {
      std::unique_ptr<test_support::ServerProcess>& server = servers_[static_cast<size_t>(i % 2)];
      std::vector<std::string> same_address = flags;
      same_address.push_back(absl::StrCat("--grpc_address=", server->grpc_address()));
      server->Signal(SIGTERM);
      EXPECT_EQ(server->Wait(), 0) << server->Log();
      some_more();  // from the other one alone
      server = MustServe(same_address);
      ASSERT_NE(server, nullptr);
      some_more();
    }
    clients.Stop();
    for (const auto& [refusal, count] : clients.refusals()) ADD_FAILURE() << count << " times: " << refusal;
  }

  std::array<std::unique_ptr<test_support::ServerProcess>, 2> servers_;
};

TEST_F(RollingRestart, IsNotSeenByClientsWithThePublishedServiceConfig) {
  RestartUnder(PublishedServiceConfig(), ShortOrLong(1, 15), /*drain_delay_seconds=*/1);
}

TEST_F(RollingRestart, IsNotSeenWithoutADrainDelayEither) {
  RestartUnder(PublishedServiceConfig(), ShortOrLong(1, 15), /*drain_delay_seconds=*/0);
}

TEST_F(RollingRestart, IsNotSeenByClientsThatStayWithOneServerWhileTheyCan) {
  const std::string config = absl::StrReplaceAll(PublishedServiceConfig(), {{"round_robin", "pick_first"}});
  RestartUnder(config, ShortOrLong(1, 15), /*drain_delay_seconds=*/0);
}

}  // namespace
}  // namespace stillwave::integration
