// Where a request is computed changes nothing about its answer.
#include "gmock/gmock.h"
#include "tests/integration/rpc.h"

namespace stillwave::integration {
namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;

class Scheduling : public ServerTest {
 protected:
  static std::string Infer(const ModelInferRequest& request) {
    ModelInferResponse response;
    const grpc::Status status = Call(*client_->inference, &Inference::Stub::ModelInfer, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.raw_output_contents_size() > 0 ? response.raw_output_contents(0) : "";
  }
  // Several at a time, so that some find the worker idle and some wait.
  static void ExpectTheSame(const ModelInferRequest& request, const std::string& answer, int times) {
    AsyncInfer calls(*client_);
    for (int i = 0; i < times; ++i) calls.Start(request);
    for (int i = 0; i < times; ++i) {
      const AsyncInfer::Call& call = calls.Next();
      ASSERT_TRUE(call.status.ok()) << call.status.error_message();
      EXPECT_EQ(call.response.raw_output_contents(0), answer);
    }
  }
};

class OnTheReceivingThread : public Scheduling {
 protected:
  static void SetUpTestSuite() {
    StartWith({ModelFlag("seed_block"), "--workers=1", "--inline_compute_microseconds=1000000"});
  }
};

TEST_F(OnTheReceivingThread, RequestsGetTheAnswersThatWorkersGive) {
  const ModelInferRequest request = SeedBlockRequest(3, 64);
  const std::string first = Infer(request);  // by a worker: nothing is known yet
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Infer(request), first);
  ExpectTheSame(request, first, 50);
}

class OverIdleWorkers : public Scheduling {
 protected:
  static void SetUpTestSuite() { StartWith({ModelFlag("seed_block"), "--workers=3"}); }
};

TEST_F(OverIdleWorkers, ALargeRequestHasTheBitsOfItsSamples) {
  constexpr int kSamples = 32, kSteps = 4'000;
  const ModelInferRequest batch = SeedBlockRequest(kSamples, kSteps);
  Infer(batch);  // from now on the server knows how long it takes
  const std::string together = Infer(batch);
  ExpectTheSame(batch, together, 6);
  const std::string& bytes = batch.raw_input_contents(0);
  const size_t sample_bytes = bytes.size() / kSamples, output_bytes = together.size() / kSamples;
  for (size_t i = 0; i < kSamples; ++i) {
    ModelInferRequest alone;
    alone.set_model_name("seed_block");
    AddRawInput(alone, "x", "FP32", {1, 3, kSteps}, bytes.substr(i * sample_bytes, sample_bytes));
    EXPECT_EQ(Infer(alone), together.substr(i * output_bytes, output_bytes)) << "sample " << i;
  }
}

}  // namespace
}  // namespace stillwave::integration
