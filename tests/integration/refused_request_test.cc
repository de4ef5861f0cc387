// Good requests that are refused all the same: too large, too many, too late, given up.
#include <thread>

#include "gmock/gmock.h"
#include "tests/integration/rpc.h"

namespace stillwave::integration {
namespace {

using grpc::StatusCode;
using inference::ModelInferRequest;
using testing::HasSubstr;

constexpr char kComputed[] = "stillwave_samples_total{model=\"seed_block\",version=\"1\"}";

// One worker that computes one sample at a time, and a queue of 16.
class RefusedRequest : public ServerTest {
 protected:
  static void SetUpTestSuite() {
    StartWith({ModelFlag("seed_block"), "--workers=1", "--max_batch_size=1", "--max_queue_samples=16"});
  }

  static double MetricNow(const std::string& name) {
    return Metric(HttpGet(server_->http_address(), "/metrics").body, name);
  }
  static std::string RejectionsBecauseOf(const std::string& reason) {
    return absl::StrCat("stillwave_rejections_total{model=\"seed_block\",reason=\"", reason, "\",version=\"1\"}");
  }
};

// Starts requests that keep the worker busy for a good second, and waits until they are with the worker or in its
// queue.
void KeepBusy(const test_support::ServerProcess& server, double computed_before, AsyncInfer& calls, int count) {
  const ModelInferRequest request = SeedBlockRequest(1, 150'000);
  for (int i = 0; i < count; ++i) calls.Start(request);
  AwaitAccepted(server, computed_before + count);
}

TEST_F(RefusedRequest, AMessageOverTheLimitIsResourceExhausted) {
  ModelInferRequest request = SeedBlockRequest(1, 16);
  *request.mutable_raw_input_contents(0) = std::string(65 << 20, 0);
  inference::ModelInferResponse response;
  const grpc::Status status = Call(*client_->inference, &Inference::Stub::ModelInfer, request, &response);
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(RefusedRequest, AFullQueueRefusesAtOnceAndSaysWhenToComeBack) {
  constexpr int kRequests = 60;
  AsyncInfer calls(*client_);
  const ModelInferRequest request = SeedBlockRequest(1, 50'000);
  for (int i = 0; i < kRequests; ++i) calls.Start(request);
  int refused = 0;
  for (int i = 0; i < kRequests; ++i) {
    const AsyncInfer::Call& call = calls.Next();
    if (call.status.ok()) continue;
    ++refused;
    EXPECT_EQ(call.status.error_code(), StatusCode::RESOURCE_EXHAUSTED) << call.status.error_message();
    EXPECT_THAT(call.status.error_message(), HasSubstr("queue"));
    const auto& trailer = call.context.GetServerTrailingMetadata();
    const auto pushback = trailer.find("grpc-retry-pushback-ms");
    ASSERT_NE(pushback, trailer.end());
    EXPECT_GT(std::stoi(std::string(pushback->second.data(), pushback->second.size())), 0);
  }
  EXPECT_GT(refused, 0);
  EXPECT_LT(refused, kRequests) << "what found a worker or a place in the queue is answered";
}

TEST_F(RefusedRequest, ACancelledRequestThatWaitsIsNotComputed) {
  constexpr int kBusy = 8;
  const double computed = MetricNow(kComputed);
  AsyncInfer calls(*client_);
  KeepBusy(*server_, computed, calls, kBusy);
  AsyncInfer::Call& waiting = calls.Start(SeedBlockRequest(1, 16));
  AwaitAccepted(*server_, computed + kBusy + 1);
  waiting.context.TryCancel();
  for (int i = 0; i < kBusy + 1; ++i) calls.Next();
  EXPECT_EQ(waiting.status.error_code(), StatusCode::CANCELLED);
  while (MetricNow(RejectionsBecauseOf("cancelled")) < 1) std::this_thread::yield();
  EXPECT_EQ(MetricNow(kComputed), computed + kBusy);
}

TEST_F(RefusedRequest, AWaitingRequestWhoseDeadlinePassesIsNotComputed) {
  constexpr int kBusy = 8;
  const double computed = MetricNow(kComputed);
  AsyncInfer calls(*client_);
  KeepBusy(*server_, computed, calls, kBusy);
  ModelInferRequest request = SeedBlockRequest(1, 16);
  (*request.mutable_parameters())["timeout"].set_int64_param(1000);
  const AsyncInfer::Call& waiting = calls.Start(request);
  for (int i = 0; i < kBusy + 1; ++i) calls.Next();
  EXPECT_EQ(waiting.status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_GE(MetricNow(RejectionsBecauseOf("deadline")), 1);
  EXPECT_EQ(MetricNow(kComputed), computed + kBusy);
}

}  // namespace
}  // namespace stillwave::integration
