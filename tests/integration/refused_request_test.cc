// Good requests that are refused all the same: too large, too many, too late, given up.
#include <thread>

#include "gmock/gmock.h"
#include "tests/integration/rpc.h"

namespace stillwave::integration {
namespace {

using grpc::StatusCode;
using inference::ModelInferRequest;
using testing::HasSubstr;

constexpr char kOtherComputed[] = "stillwave_samples_total{model=\"other\",version=\"1\"}";
constexpr char kOtherWaiting[] = "stillwave_queue_samples{model=\"other\",version=\"1\"}";

// One worker, a queue of 32 samples for each of two models.
class RefusedRequest : public ServerTest {
 protected:
  static void SetUpTestSuite() {
    const TemporaryFolder folder;
    folder.AddModel("seed_block", "seed_block", "1");
    folder.AddModel("seed_block", "other", "1");
    StartWith({folder.RepositoryFlag(), "--workers=1", "--max_batch_size=32", "--max_queue_samples=32"});
  }

  static double MetricNow(const std::string& name) {
    return Metric(HttpGet(server_->http_address(), "/metrics").body, name);
  }

  // Returns when the metric has that value; the test's time limit is the patience.
  static void AwaitMetric(const std::string& name, double value) {
    while (MetricNow(name) != value) std::this_thread::yield();
  }

  // Starts requests for seed_block and returns when the worker has finished one and goes on with the next, which takes
  // it some tenths of a second. The other model's turn comes right after that one.
  static constexpr int kBusy = 2;
  static void KeepBusy(AsyncInfer& calls) {
    const ModelInferRequest request = SeedBlockRequest(32, 20'000);
    for (int i = 0; i < kBusy; ++i) calls.Start(request);
    calls.Next();
  }
  static ModelInferRequest OtherRequest() {
    ModelInferRequest request = SeedBlockRequest(1, 16);
    request.set_model_name("other");
    return request;
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
  constexpr int kRequests = 150;
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
  const double before = MetricNow(kOtherComputed);
  AsyncInfer calls(*client_);
  KeepBusy(calls);
  AsyncInfer::Call& waiting = calls.Start(OtherRequest());
  while (MetricNow(kOtherWaiting) < 1 && !waiting.answered) std::this_thread::yield();
  waiting.context.TryCancel();
  for (int i = 0; i < kBusy; ++i) calls.Next();
  EXPECT_EQ(waiting.status.error_code(), StatusCode::CANCELLED);
  // The client knows at once; the worker finds out when it comes to that request.
  AwaitMetric("stillwave_rejections_total{model=\"other\",reason=\"cancelled\",version=\"1\"}", 1);
  EXPECT_EQ(MetricNow(kOtherComputed), before);
}

TEST_F(RefusedRequest, AWaitingRequestWhoseDeadlinePassesIsNotComputed) {
  const double before = MetricNow(kOtherComputed);
  AsyncInfer calls(*client_);
  KeepBusy(calls);
  ModelInferRequest request = OtherRequest();
  (*request.mutable_parameters())["timeout"].set_int64_param(1000);
  const AsyncInfer::Call& waiting = calls.Start(request);
  for (int i = 0; i < kBusy; ++i) calls.Next();
  EXPECT_EQ(waiting.status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  AwaitMetric("stillwave_rejections_total{model=\"other\",reason=\"deadline\",version=\"1\"}", 1);
  EXPECT_EQ(MetricNow(kOtherComputed), before);
}

}  // namespace
}  // namespace stillwave::integration
