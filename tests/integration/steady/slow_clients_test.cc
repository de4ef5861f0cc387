// Clients that are slow: to send their headers, to take their answers.
#include <signal.h>

#include <list>

#include "gmock/gmock.h"
#include "tests/client/client_process.h"
#include "tests/integration/steady/plain_connection.h"
#include "tests/integration/steady/server_figures.h"
#include "tests/integration/steady/test_length.h"
#include "tests/support/sanitizers.h"

namespace stillwave::integration {
namespace {

using testing::StartsWith;

class SlowClients : public testing::Test {
 protected:
  void Serve(std::vector<std::string> flags) {
    server_ = MustServe(std::move(flags));
    ASSERT_NE(server_, nullptr);
    client_ = std::make_unique<Client>(server_->grpc_address());
  }
  void ExpectCleanEnd() {
    client_.reset();
    ExpectCleanExit(*server_);
  }

  std::unique_ptr<test_support::ServerProcess> server_;
  std::unique_ptr<Client> client_;
};

TEST_F(SlowClients, HeadersByteByByteOnTheGrpcPortHoldNobodyUp) {
  Serve({ModelFlag("seed_block"), "--workers=1"});
  const std::string answer = AnswerTo(*client_, SeedBlockRequest(1, 64));
  const int64_t descriptors = DescriptorsOf(server_->pid());
  std::list<PlainConnection> slow;
  for (int i = 0; i < ShortOrLong(100, 1'000); ++i) slow.emplace_back(server_->grpc_address());
  // A frame of headers that never ends; in it one whose name has a length, and no end.
  const std::string headers =
      Http2Hello() + std::string("\0\x40\0\x01\x04\0\0\0\x01\x83\x86\x44\x7f", 13) + std::string(40, 'p');
  for (const char byte : headers) {
    for (PlainConnection& connection : slow) ASSERT_TRUE(connection.Send(absl::string_view(&byte, 1)));
    ASSERT_EQ(AnswerTo(*client_, SeedBlockRequest(1, 64)), answer);
  }
  Client late(server_->grpc_address());
  EXPECT_EQ(AnswerTo(late, SeedBlockRequest(1, 64)), answer) << "a new connection";
  slow.clear();
  EXPECT_TRUE(DescriptorsGoBackTo(server_->pid(), descriptors + 1));
  ExpectCleanEnd();
}

TEST_F(SlowClients, HeadersByteByByteOnTheHttpPortHoldNobodyUp) {
  Serve({ModelFlag("seed_block"), "--workers=1"});
  const int64_t descriptors = DescriptorsOf(server_->pid());
  std::list<PlainConnection> slow;
  for (int i = 0; i < ShortOrLong(100, 1'000); ++i) slow.emplace_back(server_->http_address());
  const std::string headers = "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ";
  for (const char byte : headers) {
    // Those that take too long are closed meanwhile.
    for (PlainConnection& connection : slow) connection.Send(absl::string_view(&byte, 1));
    ASSERT_EQ(HttpGet(server_->http_address(), "/livez").status, 200);
  }
  EXPECT_THAT(HttpGet(server_->http_address(), "/metrics").body, testing::HasSubstr("stillwave_"));
  // They are not waited for: each is closed although its client keeps it open.
  for (PlainConnection& connection : slow) connection.AwaitClose();
  EXPECT_TRUE(DescriptorsGoBackTo(server_->pid(), descriptors));
  ExpectCleanEnd();
}

// A client process is stopped in the middle, so that nobody takes what the server sends.
class StoppedReaders : public SlowClients {
 protected:
  // y is as large as x.
  void SetUp() override {
    PutScale(folder_, "m", "1", 3);
    Serve({folder_.RepositoryFlag(), "--workers=2", "--max_request_megabytes=64"});
    request_ = ScaleRequest("m");
    answer_ = AnswerTo(*client_, request_);
  }

  void ExpectBoundedWhileStopped(std::vector<std::string> arguments, int64_t most_bytes) {
    const char kComputed[] = "stillwave_samples_total{model=\"m\",version=\"1\"}";
    const int64_t memory = MemoryOf(server_->pid(), "VmRSS");
    arguments.insert(arguments.begin(),
                     {"bench", "--server", server_->grpc_address(), "--warmup", "0", "--duration", "600"});
    std::list<client::ClientProcess> benches;
    double computed = MetricOf(*server_, kComputed);
    for (int i = 0; i < ShortOrLong(2, 8); ++i) {
      benches.emplace_back(arguments);
      // It has begun, and is stopped with its requests in flight.
      while (MetricOf(*server_, kComputed) < computed + 20) std::this_thread::yield();
      benches.back().Signal(SIGSTOP);
      computed = MetricOf(*server_, kComputed);
    }
    // The server comes to rest when it can send no more.
    double now = 0;
    ASSERT_TRUE(Until([&] {
      const double before = std::exchange(now, MetricOf(*server_, kComputed));
      return before == now;
    }));
    for (int i = 0; i < 50; ++i) ASSERT_EQ(AnswerTo(*client_, request_), answer_);
    if (!test_support::kSanitized) {
      EXPECT_LT(MemoryOf(server_->pid(), "VmHWM") - memory, most_bytes);
    }
    for (client::ClientProcess& bench : benches) bench.Signal(SIGKILL);
    benches.clear();
    EXPECT_EQ(AnswerTo(*client_, request_), answer_);
    ExpectCleanEnd();
  }

  TemporaryFolder folder_;
  inference::ModelInferRequest request_;
  std::string answer_;
};

TEST_F(StoppedReaders, OfLargeAnswersAreBoundedInMemory) {
  // Each call in flight holds a request and an answer of 400 kB: up to 50 MiB for a client.
  ExpectBoundedWhileStopped({"--window", "100000", "--concurrency", "64", "--connections", "4"},
                            ShortOrLong(2, 8) * 64 * kMebibyte + 128 * kMebibyte);
}

TEST_F(StoppedReaders, OfStreamsAreBoundedInMemory) {
  ExpectBoundedWhileStopped({"--stream", "--window", "10000", "--hop", "100", "--concurrency", "32"},
                            ShortOrLong(2, 8) * 32 * kMebibyte + 128 * kMebibyte);
}

}  // namespace
}  // namespace stillwave::integration
