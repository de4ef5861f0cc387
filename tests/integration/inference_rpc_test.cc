// Every call of the inference service that is built, through the real server.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "gmock/gmock.h"
#include "tests/integration/rpc.h"

namespace stillwave::integration {
namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;
using testing::ElementsAre;
using testing::HasSubstr;

class InferenceRpc : public ServerTest {
 protected:
  static void SetUpTestSuite() { StartWith({ModelFlag("seed_block"), "--workers=2"}); }

  static ModelInferResponse Infer(const ModelInferRequest& request) {
    ModelInferResponse response;
    const grpc::Status status = Call(*client_->inference, &Inference::Stub::ModelInfer, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
};

TEST_F(InferenceRpc, TheServerIsLiveAndReady) {
  inference::ServerLiveResponse live;
  EXPECT_TRUE(Call(*client_->inference, &Inference::Stub::ServerLive, {}, &live).ok());
  EXPECT_TRUE(live.live());
  inference::ServerReadyResponse ready;
  EXPECT_TRUE(Call(*client_->inference, &Inference::Stub::ServerReady, {}, &ready).ok());
  EXPECT_TRUE(ready.ready());
}

TEST_F(InferenceRpc, AModelIsReadyByNameAndByVersion) {
  inference::ModelReadyRequest request;
  request.set_name("seed_block");
  inference::ModelReadyResponse response;
  EXPECT_TRUE(Call(*client_->inference, &Inference::Stub::ModelReady, request, &response).ok());
  EXPECT_TRUE(response.ready());
  request.set_version("1");
  EXPECT_TRUE(Call(*client_->inference, &Inference::Stub::ModelReady, request, &response).ok());
  EXPECT_TRUE(response.ready());
}

TEST_F(InferenceRpc, ReadinessOfAnUnknownModelIsNotFound) {
  inference::ModelReadyRequest request;
  request.set_name("nobody");
  inference::ModelReadyResponse response;
  const grpc::Status status = Call(*client_->inference, &Inference::Stub::ModelReady, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("nobody"));
}

TEST_F(InferenceRpc, TheServerTellsItsNameAndVersion) {
  inference::ServerMetadataResponse response;
  ASSERT_TRUE(Call(*client_->inference, &Inference::Stub::ServerMetadata, {}, &response).ok());
  EXPECT_EQ(response.name(), "stillwave");
  EXPECT_THAT(response.version(), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
}

TEST_F(InferenceRpc, AModelTellsItsInputsAndOutputs) {
  inference::ModelMetadataRequest request;
  request.set_name("seed_block");
  inference::ModelMetadataResponse response;
  ASSERT_TRUE(Call(*client_->inference, &Inference::Stub::ModelMetadata, request, &response).ok());
  EXPECT_EQ(response.name(), "seed_block");
  EXPECT_THAT(response.versions(), ElementsAre("1"));
  EXPECT_EQ(response.platform(), "onnx_onnxv1");
  ASSERT_EQ(response.inputs_size(), 1);
  EXPECT_EQ(response.inputs(0).name(), "x");
  EXPECT_EQ(response.inputs(0).datatype(), "FP32");
  EXPECT_THAT(response.inputs(0).shape(), ElementsAre(-1, 3, -1));
  ASSERT_EQ(response.outputs_size(), 1);
  EXPECT_EQ(response.outputs(0).name(), "y");
  EXPECT_THAT(response.outputs(0).shape(), ElementsAre(-1, 5));
}

TEST_F(InferenceRpc, AResponseNamesModelVersionRequestAndOutput) {
  ModelInferRequest request = SeedBlockRequest(2, 64);
  request.set_id("request-7");
  const ModelInferResponse response = Infer(request);
  EXPECT_EQ(response.model_name(), "seed_block");
  EXPECT_EQ(response.model_version(), "1");
  EXPECT_EQ(response.id(), "request-7");
  ASSERT_EQ(response.outputs_size(), 1);
  EXPECT_EQ(response.outputs(0).name(), "y");
  EXPECT_EQ(response.outputs(0).datatype(), "FP32");
  EXPECT_THAT(response.outputs(0).shape(), ElementsAre(2, 5));
  ASSERT_EQ(response.raw_output_contents_size(), 1);
  EXPECT_EQ(response.raw_output_contents(0).size(), 2 * 5 * sizeof(float));
}

TEST_F(InferenceRpc, RawAndTypedContentsGiveTheSameBits) {
  const ModelInferRequest raw = SeedBlockRequest(3, 50);
  ModelInferRequest typed = raw;
  typed.clear_raw_input_contents();
  for (const float value : FloatsOf(raw.raw_input_contents(0))) {
    typed.mutable_inputs(0)->mutable_contents()->add_fp32_contents(value);
  }
  EXPECT_EQ(Infer(raw).raw_output_contents(0), Infer(typed).raw_output_contents(0));
}

TEST_F(InferenceRpc, ASampleHasTheSameBitsAloneAndInABatch) {
  const ModelInferRequest batch = SeedBlockRequest(7, 40);
  const std::string together = Infer(batch).raw_output_contents(0);
  const std::string& bytes = batch.raw_input_contents(0);
  const size_t sample_bytes = bytes.size() / 7;
  for (size_t i = 0; i < 7; ++i) {
    ModelInferRequest alone;
    alone.set_model_name("seed_block");
    AddRawInput(alone, "x", "FP32", {1, 3, 40}, bytes.substr(i * sample_bytes, sample_bytes));
    EXPECT_EQ(Infer(alone).raw_output_contents(0), together.substr(i * 20, 20)) << "sample " << i;
  }
}

TEST_F(InferenceRpc, ASampleWithANaNIsAnsweredWithNaNAndTheOthersAreNot) {
  const ModelInferRequest clean = SeedBlockRequest(3, 40);
  const std::string want = Infer(clean).raw_output_contents(0);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    ModelInferRequest request = clean;
    std::string& bytes = *request.mutable_raw_input_contents(0);
    std::memcpy(bytes.data() + bytes.size() / 3 + 100 * sizeof(float), &bad, sizeof(bad));  // in sample 1
    const std::string got = Infer(request).raw_output_contents(0);
    ASSERT_EQ(got.size(), want.size());
    EXPECT_EQ(got.substr(0, 20), want.substr(0, 20));
    EXPECT_EQ(got.substr(40), want.substr(40));
    for (const float value : FloatsOf(got.substr(20, 20))) EXPECT_TRUE(std::isnan(value)) << value;
  }
}

TEST_F(InferenceRpc, OnlyRequestedOutputsAreReturned) {
  ModelInferRequest request = SeedBlockRequest(1, 64);
  request.add_outputs()->set_name("y");
  EXPECT_EQ(Infer(request).outputs_size(), 1);
}

TEST_F(InferenceRpc, AnExplicitVersionIsServed) {
  ModelInferRequest request = SeedBlockRequest(1, 64);
  request.set_model_version("1");
  EXPECT_EQ(Infer(request).model_version(), "1");
}

TEST_F(InferenceRpc, TimeoutAndPriorityOfTritonsClientsAreTaken) {
  ModelInferRequest request = SeedBlockRequest(1, 64);
  (*request.mutable_parameters())["timeout"].set_int64_param(60'000'000);
  (*request.mutable_parameters())["priority"].set_uint64_param(1);
  EXPECT_EQ(Infer(request).outputs_size(), 1);
}

template <typename Request, typename Response>
void ExpectNotBuilt(grpc::Status (Inference::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    Inference::Stub& stub, const std::string& words) {
  Response response;
  const grpc::Status status = Call(stub, method, Request(), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_THAT(status.error_message(), HasSubstr(words));
}

TEST_F(InferenceRpc, RepositoryIndexListsTheModelAndItsState) {
  inference::RepositoryIndexResponse response;
  ASSERT_TRUE(
      Call(*client_->inference, &Inference::Stub::RepositoryIndex, inference::RepositoryIndexRequest(), &response)
          .ok());
  ASSERT_EQ(response.models_size(), 1);
  EXPECT_EQ(response.models(0).name(), "seed_block");
  EXPECT_EQ(response.models(0).version(), "1");
  EXPECT_EQ(response.models(0).state(), "READY");
}

TEST_F(InferenceRpc, CallsThatAreNotBuiltSayWhatToDoInstead) {
  Inference::Stub& stub = *client_->inference;
  ExpectNotBuilt(&Inference::Stub::SystemSharedMemoryStatus, stub, "--shared_memory");
  ExpectNotBuilt(&Inference::Stub::SystemSharedMemoryRegister, stub, "--shared_memory");
  ExpectNotBuilt(&Inference::Stub::SystemSharedMemoryUnregister, stub, "--shared_memory");
  ExpectNotBuilt(&Inference::Stub::CudaSharedMemoryStatus, stub, "CUDA");
  ExpectNotBuilt(&Inference::Stub::CudaSharedMemoryRegister, stub, "CUDA");
  ExpectNotBuilt(&Inference::Stub::CudaSharedMemoryUnregister, stub, "CUDA");
  ExpectNotBuilt(&Inference::Stub::TraceSetting, stub, "trace");
}

}  // namespace
}  // namespace stillwave::integration
