// kill -9: nothing is kept, so nothing has to be recovered.
#include <signal.h>

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "tests/integration/steady/busy_clients.h"
#include "tests/integration/steady/server_figures.h"
#include "tests/integration/steady/test_length.h"

namespace stillwave::integration {
namespace {

size_t Count(absl::string_view text, absl::string_view what) {
  return std::vector<absl::string_view>(absl::StrSplit(text, what)).size() - 1;
}

TEST(KillAndRestart, TheSameRepositoryGivesTheSameAnswersToTheBit) {
  const TemporaryFolder folder;
  folder.AddModel("seed_block", "seed_block", "1");
  folder.AddModel("seed_block", "other", "3");
  inference::ModelInferRequest second = SeedBlockRequest(1, 77);
  second.set_model_name("other");
  const std::vector<inference::ModelInferRequest> requests = {SeedBlockRequest(3, 200), SeedBlockRequest(1, 16),
                                                              second};
  std::vector<std::string> answers;
  size_t first_warnings = 0;  // of the environment: few descriptors, say
  const int rounds = ShortOrLong(3, 30);
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE(absl::StrCat("start ", round));
    const auto server = MustServe({folder.RepositoryFlag(), "--workers=2"});
    ASSERT_NE(server, nullptr);
    // Nothing to recover from: the log of a start after a kill is that of the first start.
    const size_t warnings = Count(server->Log(), "WARN");
    if (round == 0) first_warnings = warnings;
    EXPECT_EQ(warnings, first_warnings) << server->Log();
    Client client(server->grpc_address());
    std::vector<std::string> now;
    for (const auto& request : requests) now.push_back(AnswerTo(client, request));
    if (round == 0) answers = now;
    EXPECT_EQ(now, answers);
    // In the middle of its work.
    BusyClients clients(/*clients=*/4, [&] { return Client::MakeChannel(server->grpc_address()); }, requests[0],
                        answers[0], /*until_refused=*/true);
    clients.AwaitAnswers(50);
    server->Signal(SIGKILL);
    clients.Join();
    EXPECT_EQ(server->Wait(), 128 + SIGKILL);
    EXPECT_EQ(clients.refusals().count("wrong answer"), 0U);
  }
}

}  // namespace
}  // namespace stillwave::integration
