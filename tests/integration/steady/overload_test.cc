// Five times what the server can do: it answers what it takes, refuses the rest at once, and is soon itself again.
#include "gmock/gmock.h"
#include "tests/integration/steady/call_crowd.h"
#include "tests/integration/steady/server_figures.h"
#include "tests/integration/steady/test_length.h"
#include "tests/support/sanitizers.h"

namespace stillwave::integration {
namespace {

constexpr char kOverloadWaits[] = "stillwave_queue_samples{model=\"seed_block\",version=\"1\"}";
constexpr int kOverloadQueue = 64;

// A request that computes for about 5 ms here.
inference::ModelInferRequest RequestOfFiveMilliseconds(const test_support::ServerProcess& server, Client& client) {
  for (int64_t length = 500;; length *= 2) {
    inference::ModelInferRequest request = SeedBlockRequest(1, length);
    const auto computed = [&](const char* what) {
      return MetricOf(server, absl::StrCat("stillwave_compute_duration_seconds_", what));
    };
    AnswerTo(client, request);  // compiles the plan
    const double seconds = computed("sum");
    const double count = computed("count");
    constexpr int kTries = 10;
    for (int i = 0; i < kTries; ++i) AnswerTo(client, request);
    if ((computed("sum") - seconds) / (computed("count") - count) >= 0.005 || length > 100'000) return request;
  }
}

TEST(Overload, IsRefusedWithAPushbackAndLeavesNoBacklog) {
  const int answers = ShortOrLong(500, 5'000);
  const auto server = MustServe({ModelFlag("seed_block"), "--workers=2", "--max_batch_size=4",
                                 absl::StrCat("--max_queue_samples=", kOverloadQueue)});
  ASSERT_NE(server, nullptr);
  Client client(server->grpc_address());
  Client other(server->grpc_address());
  const inference::ModelInferRequest request = RequestOfFiveMilliseconds(*server, client);
  const std::string answer = AnswerTo(client, request);
  ResetMemoryPeak(server->pid());
  const int64_t memory = MemoryOf(server->pid(), "VmRSS");
  CallCrowd crowd;
  int64_t in_flight = 0;
  int answered = 0;
  int refused = 0;
  const auto take_one = [&] {
    const CallCrowd::Answer next = crowd.Next();
    --in_flight;
    if (next.status.ok()) {
      ++answered;
      ASSERT_EQ(next.response.raw_output_contents(0), answer);
    } else {
      ++refused;
      ASSERT_EQ(next.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << next.status.error_message();
      ASSERT_TRUE(next.pushback) << next.status.error_message();
    }
  };
  // Every answer brings five new requests: what comes is five times what is served, however fast the machine is.
  const auto send = [&](int count) {
    for (; count > 0; --count, ++in_flight) crowd.Start(*client.inference, request);
  };
  send(2 * kOverloadQueue);
  while (answered < answers) {
    const int before = answered;
    take_one();
    if (HasFatalFailure()) return;
    if (answered > before) send(5);
    if (answered % 100 == 0) {
      EXPECT_LE(MetricOf(*server, kOverloadWaits), kOverloadQueue);
    }
  }
  // The load ends; what was taken before is all that stands before the next request.
  const int answered_before = answered;
  std::thread last([&] {
    // Refused as long as the queue is full.
    for (grpc::Status status = grpc::Status::CANCELLED; !status.ok();) {
      inference::ModelInferResponse response;
      status = Call(*other.inference, &Inference::Stub::ModelInfer, request, &response);
      ASSERT_THAT(status.error_code(), testing::AnyOf(grpc::StatusCode::OK, grpc::StatusCode::RESOURCE_EXHAUSTED));
    }
  });
  while (in_flight > 0) {
    take_one();
    if (HasFatalFailure()) break;
  }
  last.join();
  // The queue, what the workers have, and what was on its way.
  EXPECT_LE(answered - answered_before, 2 * kOverloadQueue);
  EXPECT_GT(refused, 2 * answers) << "of five that came one was served";
  EXPECT_TRUE(Until([&] { return MetricOf(*server, kOverloadWaits) == 0; }));
  if (!test_support::kSanitized) {
    EXPECT_LT(MemoryOf(server->pid(), "VmHWM") - memory, 64 * kMebibyte);
  }
  ExpectCleanExit(*server);
}

}  // namespace
}  // namespace stillwave::integration
