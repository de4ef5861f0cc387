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

// One worker and a queue of two samples.
class RefusedRequest : public ServerTest {
 protected:
  static void SetUpTestSuite() { StartWith({ModelFlag("seed_block"), "--workers=1", "--max_queue_samples=2"}); }

  // Computes for a good part of a second.
  static const ModelInferRequest& LongRequest() {
    static const auto* const request = new ModelInferRequest(SeedBlockRequest(1, 200'000));
    return *request;
  }
  static double MetricNow(const std::string& name) {
    return Metric(HttpGet(server_->http_address(), "/metrics").body, name);
  }
  static void AwaitMetric(const std::string& name, double at_least) {
    while (MetricNow(name) < at_least) std::this_thread::yield();
  }
  static std::string RejectionsBecauseOf(const std::string& reason) {
    return absl::StrCat("stillwave_rejections_total{model=\"seed_block\",reason=\"", reason, "\",version=\"1\"}");
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
  // One computes, two wait; the others come while the first one is being computed.
  constexpr int kRequests = 8;
  AsyncInfer calls(*client_);
  for (int i = 0; i < kRequests; ++i) calls.Start(LongRequest());
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
  const double computed = MetricNow(kComputed);
  AsyncInfer calls(*client_);
  calls.Start(LongRequest());
  calls.Start(LongRequest());
  AwaitMetric(kWaiting, 1);  // one is being computed, and the next will be
  AsyncInfer::Call& waiting = calls.Start(SeedBlockRequest(1, 16));
  AwaitMetric(kWaiting, 2);
  waiting.context.TryCancel();
  AwaitMetric(RejectionsBecauseOf("cancelled"), 1);
  for (int i = 0; i < 3; ++i) calls.Next();
  EXPECT_EQ(waiting.status.error_code(), StatusCode::CANCELLED);
  EXPECT_EQ(MetricNow(kComputed), computed + 2) << "the long ones only";
}

TEST_F(RefusedRequest, AWaitingRequestWhoseDeadlinePassesIsNotComputed) {
  const double computed = MetricNow(kComputed);
  AsyncInfer calls(*client_);
  calls.Start(LongRequest());
  calls.Start(LongRequest());
  AwaitMetric(kWaiting, 1);  // one is being computed, and the next will be
  ModelInferRequest request = SeedBlockRequest(1, 16);
  (*request.mutable_parameters())["timeout"].set_int64_param(1000);
  const AsyncInfer::Call& waiting = calls.Start(request);
  EXPECT_EQ(&calls.Next(), &waiting) << "it is answered before the worker is free";
  EXPECT_EQ(waiting.status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  for (int i = 0; i < 2; ++i) calls.Next();
  EXPECT_GE(MetricNow(RejectionsBecauseOf("deadline")), 1);
  EXPECT_EQ(MetricNow(kComputed), computed + 2) << "the long ones only";
}

}  // namespace
}  // namespace stillwave::integration
