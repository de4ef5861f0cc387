// Tensors in POSIX shared memory, through the real server.
#include <cstring>
#include <thread>

#include "gmock/gmock.h"
#include "tests/integration/rpc.h"
#include "tests/support/memory_object.h"

namespace stillwave::integration {
namespace {

using grpc::StatusCode;
using inference::ModelInferRequest;
using inference::ModelInferResponse;
using test_support::MemoryObject;
using testing::HasSubstr;

constexpr int64_t kTimeSteps = 64;
constexpr size_t kInputBytes = 2 * 3 * kTimeSteps * sizeof(float);
constexpr size_t kOutputBytes = 2 * 5 * sizeof(float);

class SharedMemory : public ServerTest {
 protected:
  static void SetUpTestSuite() { StartWith({ModelFlag("seed_block"), "--workers=1", "--shared_memory"}); }

  void TearDown() override {
    inference::SystemSharedMemoryUnregisterResponse response;
    EXPECT_TRUE(Call(*client_->inference, &Inference::Stub::SystemSharedMemoryUnregister, {}, &response).ok());
  }

  static grpc::Status Register(const std::string& name, const std::string& key, uint64_t offset, uint64_t byte_size) {
    inference::SystemSharedMemoryRegisterRequest request;
    request.set_name(name);
    request.set_key(key);
    request.set_offset(offset);
    request.set_byte_size(byte_size);
    inference::SystemSharedMemoryRegisterResponse response;
    return Call(*client_->inference, &Inference::Stub::SystemSharedMemoryRegister, request, &response);
  }

  static inference::SystemSharedMemoryStatusResponse Regions() {
    inference::SystemSharedMemoryStatusResponse response;
    EXPECT_TRUE(Call(*client_->inference, &Inference::Stub::SystemSharedMemoryStatus, {}, &response).ok());
    return response;
  }

  // Input x from, output y into, region "r": the input at 0, the output behind it.
  static ModelInferRequest Request() {
    ModelInferRequest request = SeedBlockRequest(2, kTimeSteps);
    request.clear_raw_input_contents();
    auto& input = *request.mutable_inputs(0)->mutable_parameters();
    input["shared_memory_region"].set_string_param("r");
    input["shared_memory_byte_size"].set_int64_param(kInputBytes);
    auto* const output = request.add_outputs();
    output->set_name("y");
    (*output->mutable_parameters())["shared_memory_region"].set_string_param("r");
    (*output->mutable_parameters())["shared_memory_byte_size"].set_int64_param(kOutputBytes);
    (*output->mutable_parameters())["shared_memory_offset"].set_int64_param(kInputBytes);
    return request;
  }

  static grpc::Status Infer(const ModelInferRequest& request, ModelInferResponse* response) {
    return Call(*client_->inference, &Inference::Stub::ModelInfer, request, response);
  }
};

TEST_F(SharedMemory, IsAnExtensionOfTheServer) {
  inference::ServerMetadataResponse response;
  ASSERT_TRUE(Call(*client_->inference, &Inference::Stub::ServerMetadata, {}, &response).ok());
  EXPECT_THAT(response.extensions(), testing::Contains("system_shared_memory"));
}

TEST_F(SharedMemory, TensorsThereAndInTheMessageHaveTheSameBits) {
  const MemoryObject object("bits", 16 + kInputBytes + kOutputBytes);
  ASSERT_TRUE(Register("r", object.key(), 16, kInputBytes + kOutputBytes).ok());
  const ModelInferRequest plain = SeedBlockRequest(2, kTimeSteps);
  std::memcpy(object.data() + 16, plain.raw_input_contents(0).data(), kInputBytes);
  ModelInferResponse expected;
  ASSERT_TRUE(Infer(plain, &expected).ok());

  ModelInferResponse response;
  const grpc::Status status = Infer(Request(), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.outputs_size(), 1);
  EXPECT_EQ(response.outputs(0).name(), "y");
  EXPECT_THAT(response.outputs(0).shape(), testing::ElementsAre(2, 5));
  EXPECT_EQ(response.outputs(0).parameters().at("shared_memory_region").string_param(), "r");
  EXPECT_EQ(response.outputs(0).parameters().at("shared_memory_byte_size").int64_param(),
            static_cast<int64_t>(kOutputBytes));
  EXPECT_EQ(response.raw_output_contents(0), "");
  EXPECT_EQ(std::string(object.data() + 16 + kInputBytes, kOutputBytes), expected.raw_output_contents(0));
}

TEST_F(SharedMemory, RegionsAreListedAndUnregisteredByNameOrAll) {
  const MemoryObject object("list", 4096);
  ASSERT_TRUE(Register("a", object.key(), 0, 1024).ok());
  ASSERT_TRUE(Register("b", object.key(), 1024, 2048).ok());
  EXPECT_EQ(Register("a", object.key(), 0, 1024).error_code(), StatusCode::ALREADY_EXISTS);
  ASSERT_EQ(Regions().regions_size(), 2);
  EXPECT_EQ(Regions().regions().at("b").offset(), 1024U);
  EXPECT_EQ(Regions().regions().at("b").byte_size(), 2048U);
  EXPECT_EQ(Regions().regions().at("b").key(), object.key());
  inference::SystemSharedMemoryUnregisterRequest request;
  inference::SystemSharedMemoryUnregisterResponse response;
  request.set_name("a");
  EXPECT_TRUE(Call(*client_->inference, &Inference::Stub::SystemSharedMemoryUnregister, request, &response).ok());
  EXPECT_EQ(Regions().regions().count("a"), 0U);
  EXPECT_TRUE(Call(*client_->inference, &Inference::Stub::SystemSharedMemoryUnregister, {}, &response).ok());
  EXPECT_EQ(Regions().regions_size(), 0);
  inference::SystemSharedMemoryStatusRequest status_request;
  inference::SystemSharedMemoryStatusResponse status;
  status_request.set_name("a");
  EXPECT_EQ(Call(*client_->inference, &Inference::Stub::SystemSharedMemoryStatus, status_request, &status).error_code(),
            StatusCode::NOT_FOUND);
}

TEST_F(SharedMemory, WhatCannotBeARegionIsRefused) {
  const MemoryObject object("refused", 4096);
  EXPECT_EQ(Register("r", "../etc/passwd", 0, 16).error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Register("r", "/no_such_stillwave_object", 0, 16).error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(Register("r", object.key(), 4090, 16).error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Register("r", object.key(), ~uint64_t{0}, 16).error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Register("", object.key(), 0, 16).error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Regions().regions_size(), 0);
}

TEST_F(SharedMemory, BytesOutsideOfTheRegionAreRefused) {
  const MemoryObject object("outside", 65536);
  ASSERT_TRUE(Register("r", object.key(), 0, kInputBytes).ok());
  ModelInferResponse response;
  const grpc::Status behind = Infer(Request(), &response);  // the output would be
  EXPECT_EQ(behind.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(behind.error_message(), testing::AllOf(HasSubstr("output 'y'"), HasSubstr("inside")));
  ModelInferRequest request = Request();
  request.clear_outputs();
  (*request.mutable_inputs(0)->mutable_parameters())["shared_memory_offset"].set_uint64_param(~uint64_t{0} - 8);
  EXPECT_EQ(Infer(request, &response).error_code(), StatusCode::INVALID_ARGUMENT);
  (*request.mutable_inputs(0)->mutable_parameters())["shared_memory_region"].set_string_param("nobody");
  EXPECT_EQ(Infer(request, &response).error_code(), StatusCode::NOT_FOUND);
}

TEST_F(SharedMemory, AnObjectThatIsCutShortIsARefusedRequestAndNotTheServersEnd) {
  const MemoryObject object("cut", 4 * 4096);
  ASSERT_TRUE(Register("r", object.key(), 0, 4 * 4096).ok());
  ModelInferResponse response;
  ASSERT_TRUE(Infer(Request(), &response).ok());
  object.SetSize(0);
  const grpc::Status status = Infer(Request(), &response);
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("shorter"));
  ModelInferRequest output_only = SeedBlockRequest(2, kTimeSteps);
  *output_only.mutable_outputs() = Request().outputs();
  EXPECT_EQ(Infer(output_only, &response).error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(object.CurrentSize(), 0U);
  EXPECT_TRUE(Infer(SeedBlockRequest(1, 16), &response).ok()) << "the server lives";
}

TEST_F(SharedMemory, TheServerOutlivesAClientThatCutsAndGrowsItsMemoryAllTheTime) {
  const MemoryObject object("race", 16 * 4096);
  ASSERT_TRUE(Register("r", object.key(), 0, 16 * 4096).ok());
  std::atomic<bool> done{false};
  std::thread cutter([&] {
    while (!done) {
      object.SetSize(0);
      object.SetSize(16 * 4096);
    }
  });
  for (int i = 0; i < 300; ++i) {
    ModelInferResponse response;
    const StatusCode code = Infer(Request(), &response).error_code();
    EXPECT_TRUE(code == StatusCode::OK || code == StatusCode::INVALID_ARGUMENT) << code;
  }
  done = true;
  cutter.join();
  ModelInferResponse response;
  EXPECT_TRUE(Infer(SeedBlockRequest(1, 16), &response).ok());
}

TEST_F(SharedMemory, WorksOnAStreamToo) {
  const MemoryObject object("stream", kInputBytes + kOutputBytes);
  ASSERT_TRUE(Register("r", object.key(), 0, kInputBytes + kOutputBytes).ok());
  const ModelInferRequest plain = SeedBlockRequest(2, kTimeSteps);
  std::memcpy(object.data(), plain.raw_input_contents(0).data(), kInputBytes);
  ModelInferResponse expected;
  ASSERT_TRUE(Infer(plain, &expected).ok());
  grpc::ClientContext context;
  LimitTime(context);
  const auto stream = client_->inference->ModelStreamInfer(&context);
  ASSERT_TRUE(stream->Write(Request()));
  inference::ModelStreamInferResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.error_message(), "");
  EXPECT_EQ(std::string(object.data() + kInputBytes, kOutputBytes), expected.raw_output_contents(0));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace stillwave::integration
