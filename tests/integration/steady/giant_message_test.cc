// Messages that are made to be large: on the wire, or only once they are parsed.
#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>

#include "gmock/gmock.h"
#include "tests/integration/steady/server_figures.h"
#include "tests/integration/steady/test_length.h"
#include "tests/support/sanitizers.h"

namespace stillwave::integration {
namespace {

using grpc::StatusCode;
using testing::HasSubstr;

// Just below what a message may have on the wire.
constexpr size_t kGiantBytes = (size_t{64} << 20) - 1'000;

std::string Repeated(const std::string& part, size_t bytes) {
  std::string whole;
  whole.reserve(bytes);
  while (whole.size() + part.size() <= bytes) whole += part;
  return whole;
}

class GiantMessage : public testing::Test {
 protected:
  void SetUp() override {
    server_ = MustServe({ModelFlag("seed_block"), "--workers=1"});
    ASSERT_NE(server_, nullptr);
    client_ = std::make_unique<Client>(server_->grpc_address());
    answer_ = AnswerTo(*client_, SeedBlockRequest(1, 64));
  }

  // Sends bytes, which need not be a message, as the first one of a call; how the call ends.
  grpc::Status SendBytes(const std::string& method, const std::string& bytes) {
    grpc::ClientContext context;
    LimitTime(context);
    grpc::CompletionQueue queue;
    grpc::GenericStub stub(client_->channel);
    const auto call = stub.PrepareCall(&context, method, &queue);
    const auto await = [&] {
      void* tag = nullptr;
      bool ok = false;
      queue.Next(&tag, &ok);
      return ok;
    };
    grpc::Status status;
    call->StartCall(nullptr);
    if (await()) {
      const grpc::Slice slice(bytes);
      call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
      if (await()) {
        call->WritesDone(nullptr);
        await();
      }
      grpc::ByteBuffer response;
      do {
        call->Read(&response, nullptr);
      } while (await());
    }
    call->Finish(&status, nullptr);
    await();
    queue.Shutdown();
    return status;
  }

  // The peak of what the server holds above what it holds now.
  template <typename Act>
  int64_t PeakDuring(const Act& act) {
    const int64_t before = MemoryOf(server_->pid(), "VmRSS");
    ResetMemoryPeak(server_->pid());
    act();
    return MemoryOf(server_->pid(), "VmHWM") - before;
  }

  void ExpectBoundedPeak(int64_t peak) {
    // The bytes as they came, in pieces, and once more.
    if (!test_support::kSanitized) {
      EXPECT_LT(peak, 256 * kMebibyte);
    }
    EXPECT_EQ(AnswerTo(*client_, SeedBlockRequest(1, 64)), answer_);
  }

  std::unique_ptr<test_support::ServerProcess> server_;
  std::unique_ptr<Client> client_;
  std::string answer_;
};

TEST_F(GiantMessage, OfEmptyPartsIsRefusedBeforeItIsParsed) {
  // Two bytes each: empty inputs, outputs and raw contents, and fields and groups that the message does not know.
  for (const char* part : {"\x2a\0", "\x32\0", "\x3a\0", "\x7a\0", "\x7b\x7c"}) {
    SCOPED_TRACE(absl::StrCat("field ", static_cast<int>(part[0]) / 8));
    const std::string bytes = Repeated(std::string(part, 2), kGiantBytes);
    grpc::Status status;
    const int64_t peak = PeakDuring([&] { status = SendBytes("/inference.GRPCInferenceService/ModelInfer", bytes); });
    EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT) << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr("ModelInferRequest must have at most 10000 nested messages"));
    ExpectBoundedPeak(peak);
  }
}

TEST_F(GiantMessage, OfEmptyPartsIsRefusedByEveryMethod) {
  const std::string bytes = Repeated(std::string("\xfa\x7f\0", 3), 60'000);  // a field that nobody knows
  for (const char* name : {"inference.GRPCInferenceService", "stillwave.v1.TimeSeriesService",
                           "stillwave.v1.MonitoringService", "grpc.health.v1.Health"}) {
    const auto* const service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
    ASSERT_NE(service, nullptr) << name;
    for (int i = 0; i < service->method_count(); ++i) {
      const std::string method = absl::StrCat("/", name, "/", service->method(i)->name());
      const grpc::Status status = SendBytes(method, bytes);
      if (service->method(i)->name() == "ModelStreamInfer") {
        EXPECT_TRUE(status.ok()) << "the response says it, and the stream goes on: " << status.error_message();
        continue;
      }
      EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT) << method << ": " << status.error_message();
      EXPECT_THAT(status.error_message(), HasSubstr("must have at most 10000")) << method;
    }
  }
  EXPECT_EQ(AnswerTo(*client_, SeedBlockRequest(1, 64)), answer_);
}

TEST_F(GiantMessage, BytesThatAreNoMessageAreAnInvalidArgument) {
  const grpc::Status status = SendBytes("/inference.GRPCInferenceService/ModelInfer", std::string(100, '\xff'));
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("must be a inference.ModelInferRequest"));
  EXPECT_EQ(AnswerTo(*client_, SeedBlockRequest(1, 64)), answer_);
}

TEST_F(GiantMessage, OnAStreamIsAnErrorOfThatMessage) {
  grpc::ClientContext context;
  LimitTime(context);
  const auto stream = client_->inference->ModelStreamInfer(&context);
  inference::ModelInferRequest giant = SeedBlockRequest(1, 64);
  for (int i = 0; i < 20'000; ++i) giant.add_outputs();
  ASSERT_TRUE(stream->Write(giant));
  ASSERT_TRUE(stream->Write(SeedBlockRequest(1, 64)));
  inference::ModelStreamInferResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_THAT(response.error_message(), HasSubstr("must have at most 10000"));
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.infer_response().raw_output_contents(0), answer_);
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(GiantMessage, ManyAtTheSameTimeAreBoundedInMemory) {
  const int count = ShortOrLong(10, 30);
  inference::ModelInferRequest request;
  request.set_model_name("seed_block");
  AddRawInput(request, "x", "FP32", {1, 3, 5'000'000}, std::string(60'000'000, '\0'));
  std::vector<StatusCode> codes(static_cast<size_t>(count), StatusCode::UNKNOWN);
  const int64_t peak = PeakDuring([&] {
    std::vector<std::thread> threads;
    for (StatusCode& code : codes) {
      threads.emplace_back([&] {
        Client client(server_->grpc_address());
        inference::ModelInferResponse response;
        code = Call(*client.inference, &Inference::Stub::ModelInfer, request, &response).error_code();
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  // Too long for the model, too many for the budget, or more than gRPC may hold: each is told so.
  for (const StatusCode code : codes) {
    EXPECT_THAT(code, testing::AnyOf(StatusCode::RESOURCE_EXHAUSTED, StatusCode::INVALID_ARGUMENT,
                                     StatusCode::UNAVAILABLE, StatusCode::OK));
  }
  RecordProperty("peak_bytes", absl::StrCat(peak));
  if (!test_support::kSanitized) {
    EXPECT_LT(peak, 2'048 * kMebibyte);
  }
  EXPECT_EQ(AnswerTo(*client_, SeedBlockRequest(1, 64)), answer_);
}

}  // namespace
}  // namespace stillwave::integration
