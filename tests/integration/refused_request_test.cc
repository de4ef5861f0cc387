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
constexpr char kWaiting[] = "stillwave_queue_samples{model=\"seed_block\",version=\"1\"}";
constexpr char kCancelled[] = "stillwave_rejections_total{model=\"seed_block\",reason=\"cancelled\",version=\"1\"}";
constexpr char kTooLate[] = "stillwave_rejections_total{model=\"seed_block\",reason=\"deadline\",version=\"1\"}";

// One worker; requests of one model wait in their order.
class RefusedRequest : public ServerTest {
 protected:
  static void SetUpTestSuite() {
    StartWith({ModelFlag("seed_block"), "--workers=1", "--max_batch_size=32", "--max_queue_samples=512"});
  }

  static double MetricNow(const std::string& name) {
    return Metric(HttpGet(server_->http_address(), "/metrics").body, name);
  }
  // Returns when the metric has that value; the test's time limit is the patience.
  static void AwaitMetric(const std::string& name, double value) {
    while (MetricNow(name) != value) std::this_thread::yield();
  }

  // Puts seconds of work in front of what comes next: returns when it is all in the queue or with the worker.
  static constexpr int kBusy = 8;
  static constexpr int kBusySamples = 32;
  static void KeepBusy(AsyncInfer& calls) {
    const ModelInferRequest request = SeedBlockRequest(kBusySamples, 20'000);
    for (int i = 0; i < kBusy; ++i) calls.Start(request);
    while (MetricNow(kWaiting) < (kBusy - 2) * kBusySamples) std::this_thread::yield();
  }
};

TEST_F(RefusedRequest, AMessageOverTheLimitIsResourceExhausted) {
  ModelInferRequest request = SeedBlockRequest(1, 16);
  *request.mutable_raw_input_contents(0) = std::string(65 << 20, 0);
  inference::ModelInferResponse response;
  const grpc::Status status = Call(*client_->inference, &Inference::Stub::ModelInfer, request, &response);
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(RefusedRequest, AFullQueueRefusesAtOnceAndSaysWhenToComeBack) {
  // Five times what the queue holds.
  constexpr int kRequests = 80;
  AsyncInfer calls(*client_);
  const ModelInferRequest request = SeedBlockRequest(kBusySamples, 4'000);
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
  AwaitMetric(kWaiting, 0);
  const double computed = MetricNow(kComputed);
  AsyncInfer calls(*client_);
  KeepBusy(calls);
  AsyncInfer::Call& waiting = calls.Start(SeedBlockRequest(1, 16));
  // It is in the queue when the number of waiting samples is no multiple of the others'.
  while (static_cast<int>(MetricNow(kWaiting)) % kBusySamples != 1) std::this_thread::yield();
  waiting.context.TryCancel();
  for (int i = 0; i < kBusy + 1; ++i) calls.Next();
  EXPECT_EQ(waiting.status.error_code(), StatusCode::CANCELLED);
  AwaitMetric(kCancelled, 1);
  EXPECT_EQ(MetricNow(kComputed), computed + kBusy * kBusySamples);
}

TEST_F(RefusedRequest, AWaitingRequestWhoseDeadlinePassesIsNotComputed) {
  AwaitMetric(kWaiting, 0);
  const double computed = MetricNow(kComputed);
  AsyncInfer calls(*client_);
  KeepBusy(calls);
  ModelInferRequest request = SeedBlockRequest(1, 16);
  (*request.mutable_parameters())["timeout"].set_int64_param(1000);
  const AsyncInfer::Call& waiting = calls.Start(request);
  for (int i = 0; i < kBusy + 1; ++i) calls.Next();
  EXPECT_EQ(waiting.status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  AwaitMetric(kTooLate, 1);
  EXPECT_EQ(MetricNow(kComputed), computed + kBusy * kBusySamples);
}

}  // namespace
}  // namespace stillwave::integration
