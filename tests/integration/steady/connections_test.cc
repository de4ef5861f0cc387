// Thousands of connections, of requests in flight, and more connections than there are descriptors.
#include <signal.h>
#include <sys/resource.h>

#include <list>

#include "gmock/gmock.h"
#include "server/base/descriptor_limit.h"
#include "tests/integration/steady/call_crowd.h"
#include "tests/integration/steady/plain_connection.h"
#include "tests/integration/steady/server_figures.h"
#include "tests/integration/steady/test_length.h"

namespace stillwave::integration {
namespace {

constexpr char kManyWaiting[] = "stillwave_queue_samples{model=\"seed_block\",version=\"1\"}";

TEST(Connections, ThousandsAreServedAndLeaveNothingBehind) {
  const int count = ShortOrLong(200, 2'000);
  // Each has one here and one in the server.
  ASSERT_GT(base::RaiseDescriptorLimit(), count + 200) << "this test needs more descriptors";
  const auto server = MustServe({ModelFlag("seed_block"), "--workers=2"});
  ASSERT_NE(server, nullptr);
  const inference::ModelInferRequest request = SeedBlockRequest(1, 64);
  std::string answer;
  {
    Client client(server->grpc_address());
    answer = AnswerTo(client, request);
  }
  const int64_t descriptors = DescriptorsOf(server->pid());
  const int64_t memory = MemoryOf(server->pid(), "VmRSS");
  {
    CallCrowd crowd;
    std::list<Client> clients;
    // The second time all of them are connected already.
    for (int round = 0; round < 2; ++round) {
      for (int i = 0; i < count; ++i) {
        if (round == 0) clients.emplace_back(server->grpc_address());
      }
      for (Client& client : clients) crowd.Start(*client.inference, request);
      for (int i = 0; i < count; ++i) {
        const CallCrowd::Answer next = crowd.Next();
        ASSERT_TRUE(next.status.ok()) << next.status.error_message();
        ASSERT_EQ(next.response.raw_output_contents(0), answer);
      }
    }
    // The first client's may not have been closed yet when they were counted.
    EXPECT_GE(DescriptorsOf(server->pid()), descriptors + count - 1) << "the connections are not all open";
    const int64_t growth = MemoryOf(server->pid(), "VmRSS") - memory;
    EXPECT_LT(growth, 32 * kMebibyte + count * kMebibyte / 8) << "128 KiB are much for a connection";
    RecordProperty("bytes_per_connection", absl::StrCat(growth / count));
  }
  EXPECT_TRUE(DescriptorsGoBackTo(server->pid(), descriptors)) << DescriptorsOf(server->pid());
  ExpectCleanExit(*server);
}

TEST(Connections, MoreThanThereAreDescriptorsAreClosedAndTheOthersServed) {
  const auto server = MustServe({ModelFlag("seed_block"), "--workers=1"});
  ASSERT_NE(server, nullptr);
  Client early(server->grpc_address());
  const std::string answer = AnswerTo(early, SeedBlockRequest(1, 64));
  const int64_t descriptors = DescriptorsOf(server->pid());
  // Some of them are kept free, so that fewer than a hundred connections fit.
  const rlimit few{static_cast<rlim_t>(descriptors) + 100, static_cast<rlim_t>(descriptors) + 100};
  ASSERT_EQ(prlimit(server->pid(), RLIMIT_NOFILE, &few, nullptr), 0);
  for (int round = 0; round < ShortOrLong(2, 20); ++round) {
    std::list<PlainConnection> idle;
    for (int i = 0; i < 300; ++i) idle.emplace_back(server->grpc_address());
    idle.back().AwaitClose();
    EXPECT_LT(DescriptorsOf(server->pid()), descriptors + 100);
    EXPECT_EQ(AnswerTo(early, SeedBlockRequest(1, 64)), answer) << "a connection that was there before";
    EXPECT_EQ(HttpGet(server->http_address(), "/readyz").status, 200);
    idle.clear();
    EXPECT_TRUE(DescriptorsGoBackTo(server->pid(), descriptors + 1));
    Client late(server->grpc_address());
    EXPECT_EQ(AnswerTo(late, SeedBlockRequest(1, 64)), answer) << "a connection after them";
  }
  EXPECT_THAT(server->Log(), testing::HasSubstr("too many connections"));
  ExpectCleanExit(*server);
}

TEST(Connections, ThousandsOfRequestsInFlightAreAllAnswered) {
  const int count = ShortOrLong(1'000, 10'000);
  constexpr int kConnections = 5;  // a connection has 4096 calls at most
  const auto server = MustServe({ModelFlag("seed_block"), "--workers=1", "--max_queue_samples=20000"});
  ASSERT_NE(server, nullptr);
  const inference::ModelInferRequest request = SeedBlockRequest(1, 64);
  std::list<Client> clients;
  for (int i = 0; i < kConnections; ++i) clients.emplace_back(server->grpc_address());
  const std::string answer = AnswerTo(clients.front(), request);
  const int64_t memory = MemoryOf(server->pid(), "VmRSS");
  CallCrowd crowd;
  int in_flight = 0;
  // Keeps the worker busy while the others come.
  for (; in_flight < 8; ++in_flight) crowd.Start(*clients.front().inference, SeedBlockRequest(32, 8'000));
  while (in_flight < count) {
    for (Client& client : clients) {
      crowd.Start(*client.inference, request);
      ++in_flight;
    }
  }
  double most_waiting = 0;
  int answered = 0;
  int refused = 0;
  for (int i = 0; i < in_flight; ++i) {
    if (i % 500 == 0) most_waiting = std::max(most_waiting, MetricOf(*server, kManyWaiting));
    const CallCrowd::Answer next = crowd.Next();
    if (next.status.ok()) {
      ++answered;
      // The long ones have more.
      if (next.response.outputs(0).shape(0) == 1) {
        ASSERT_EQ(next.response.raw_output_contents(0), answer);
      }
    } else {
      ++refused;
      ASSERT_EQ(next.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << next.status.error_message();
      ASSERT_TRUE(next.pushback);
    }
  }
  EXPECT_GT(answered, 0);
  RecordProperty("answered", answered);
  RecordProperty("refused", refused);
  RecordProperty("most_waiting", absl::StrCat(most_waiting));
  EXPECT_LT(MemoryOf(server->pid(), "VmHWM") - memory, 256 * kMebibyte + in_flight * kMebibyte / 32);
  EXPECT_EQ(AnswerTo(clients.front(), request), answer);
  EXPECT_EQ(MetricOf(*server, kManyWaiting), 0);
  clients.clear();
  ExpectCleanExit(*server);
}

}  // namespace
}  // namespace stillwave::integration
