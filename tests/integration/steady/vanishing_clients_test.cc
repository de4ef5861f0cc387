// Clients that vanish: killed, cut off, or silent from the start.
#include <signal.h>

#include <list>

#include "gmock/gmock.h"
#include "tests/client/client_process.h"
#include "tests/integration/steady/plain_connection.h"
#include "tests/integration/steady/server_figures.h"
#include "tests/integration/steady/test_length.h"

namespace stillwave::integration {
namespace {

constexpr char kVanishingWaits[] = "stillwave_queue_samples{model=\"seed_block\",version=\"1\"}";
constexpr char kVanishingSamples[] = "stillwave_samples_total{model=\"seed_block\",version=\"1\"}";

class VanishingClients : public testing::Test {
 protected:
  void SetUp() override {
    server_ = MustServe({ModelFlag("seed_block"), "--workers=2", "--keepalive_seconds=1"});
    ASSERT_NE(server_, nullptr);
    client_ = std::make_unique<Client>(server_->grpc_address());
    answer_ = AnswerTo(*client_, SeedBlockRequest(1, 64));
    descriptors_ = DescriptorsOf(server_->pid());
  }

  // Nothing of the clients is left, and the server is none the worse.
  void ExpectNoTrace() {
    EXPECT_TRUE(DescriptorsGoBackTo(server_->pid(), descriptors_)) << DescriptorsOf(server_->pid());
    EXPECT_TRUE(Until([&] { return MetricOf(*server_, kVanishingWaits) == 0; }));
    EXPECT_EQ(MetricOf(*server_, "stillwave_streams"), 0);
    EXPECT_EQ(AnswerTo(*client_, SeedBlockRequest(1, 64)), answer_);
    client_.reset();
    ExpectCleanExit(*server_);
  }

  // A process that does what `bench` is told, killed when the server has computed something for it.
  void KillBench(std::vector<std::string> arguments) {
    const double computed = MetricOf(*server_, kVanishingSamples);
    arguments.insert(arguments.begin(), {"bench", "--server", server_->grpc_address(), "--warmup", "0", "--duration",
                                         "600", "--connections", "4"});
    client::ClientProcess bench(arguments);
    while (MetricOf(*server_, kVanishingSamples) < computed + 200) std::this_thread::yield();
    bench.Signal(SIGKILL);
    bench.Wait();
  }

  std::unique_ptr<test_support::ServerProcess> server_;
  std::unique_ptr<Client> client_;
  std::string answer_;
  int64_t descriptors_ = 0;
};

TEST_F(VanishingClients, KilledWithRequestsInFlightLeaveNoTrace) {
  for (int i = 0; i < ShortOrLong(2, 20); ++i) KillBench({"--window", "2000", "--concurrency", "256"});
  ExpectNoTrace();
}

TEST_F(VanishingClients, KilledWithOpenStreamsLeaveNoTrace) {
  for (int i = 0; i < ShortOrLong(2, 20); ++i) KillBench({"--stream", "--window", "200", "--concurrency", "64"});
  ExpectNoTrace();
}

TEST_F(VanishingClients, ResetInTheMiddleOfAMessageLeaveNoTrace) {
  const std::string whole =
      Http2Hello() + std::string("\0\0\x04\x01\x04\0\0\0\x01\x83\x86\x44\x01", 13) + "/";  // HEADERS with a path
  for (int i = 0; i < ShortOrLong(50, 1'000); ++i) {
    PlainConnection connection(server_->grpc_address());
    ASSERT_TRUE(connection.Send(whole.substr(0, static_cast<size_t>(i) % (whole.size() + 1))));
    connection.Reset();
  }
  ExpectNoTrace();
}

TEST_F(VanishingClients, ThatNeverSayAWordAreClosed) {
  std::list<PlainConnection> silent;
  for (int i = 0; i < 20; ++i) silent.emplace_back(server_->grpc_address());
  EXPECT_EQ(AnswerTo(*client_, SeedBlockRequest(1, 64)), answer_);
  for (PlainConnection& connection : silent) connection.AwaitClose();
  ExpectNoTrace();
}

TEST_F(VanishingClients, ThatAnswerNoPingAreClosed) {
  std::list<PlainConnection> silent;
  for (int i = 0; i < 20; ++i) {
    silent.emplace_back(server_->grpc_address());
    ASSERT_TRUE(silent.back().Send(Http2Hello()));
  }
  EXPECT_EQ(AnswerTo(*client_, SeedBlockRequest(1, 64)), answer_);
  for (PlainConnection& connection : silent) connection.AwaitClose();
  ExpectNoTrace();
}

}  // namespace
}  // namespace stillwave::integration
