// ModelStreamInfer through the real server: order, errors in-band and as the call's status, slow readers, the end.
#include <signal.h>

#include <thread>

#include "gmock/gmock.h"
#include "tests/integration/rpc.h"

namespace stillwave::integration {
namespace {

using grpc::StatusCode;
using inference::ModelInferRequest;
using inference::ModelStreamInferResponse;
using testing::HasSubstr;

using Stream = grpc::ClientReaderWriter<ModelInferRequest, ModelStreamInferResponse>;

constexpr char kStreamed[] =
    "stillwave_requests_total{code=\"OK\",method=\"ModelStreamInfer\",model=\"seed_block\",version=\"1\"}";
constexpr char kRefused[] =
    "stillwave_requests_total{code=\"INVALID_ARGUMENT\",method=\"ModelStreamInfer\",model=\"seed_block\",version="
    "\"1\"}";

ModelInferRequest WithId(ModelInferRequest request, const std::string& id) {
  request.set_id(id);
  return request;
}

// Refused: the byte count is wrong.
ModelInferRequest Spoiled(const std::string& id) {
  ModelInferRequest request = WithId(SeedBlockRequest(1, 16), id);
  request.mutable_raw_input_contents(0)->push_back('x');
  return request;
}

class InferStream : public ServerTest {
 protected:
  static void SetUpTestSuite() { StartWith({ModelFlag("seed_block"), "--workers=2", "--max_streams=4"}); }

  InferStream() { LimitTime(context_); }

  void Open() { stream_ = client_->inference->ModelStreamInfer(&context_); }

  ModelStreamInferResponse Read() {
    ModelStreamInferResponse response;
    EXPECT_TRUE(stream_->Read(&response));
    return response;
  }

  grpc::ClientContext context_;
  std::unique_ptr<Stream> stream_;
};

TEST_F(InferStream, AnswersTheSameBitsAsModelInfer) {
  const ModelInferRequest request = WithId(SeedBlockRequest(3, 50), "one");
  inference::ModelInferResponse unary;
  ASSERT_TRUE(Call(*client_->inference, &Inference::Stub::ModelInfer, request, &unary).ok());
  Open();
  ASSERT_TRUE(stream_->Write(request));
  const ModelStreamInferResponse response = Read();
  EXPECT_EQ(response.error_message(), "");
  EXPECT_EQ(response.infer_response().id(), "one");
  EXPECT_EQ(response.infer_response().model_name(), "seed_block");
  EXPECT_EQ(response.infer_response().model_version(), "1");
  ASSERT_EQ(response.infer_response().raw_output_contents_size(), 1);
  EXPECT_EQ(response.infer_response().raw_output_contents(0), unary.raw_output_contents(0));
  EXPECT_TRUE(response.infer_response().parameters().at("triton_final_response").bool_param());
  stream_->WritesDone();
  ModelStreamInferResponse more;
  EXPECT_FALSE(stream_->Read(&more));
  EXPECT_TRUE(stream_->Finish().ok());
}

TEST_F(InferStream, ResponsesComeInTheOrderOfRequests) {
  // Long and short ones in turn, refused ones between: on two workers they are done in another order.
  constexpr int kRequests = 200;
  const ModelInferRequest longer = SeedBlockRequest(16, 4'000);
  const ModelInferRequest shorter = SeedBlockRequest(1, 16);
  Open();
  std::thread writer([&] {
    for (int i = 0; i < kRequests; ++i) {
      const std::string id = absl::StrCat(i);
      EXPECT_TRUE(stream_->Write(i % 7 == 3 ? Spoiled(id) : WithId(i % 5 == 0 ? longer : shorter, id)));
    }
    stream_->WritesDone();
  });
  for (int i = 0; i < kRequests; ++i) {
    const ModelStreamInferResponse response = Read();
    EXPECT_EQ(response.infer_response().id(), absl::StrCat(i));
    EXPECT_EQ(response.error_message().empty(), i % 7 != 3);
  }
  writer.join();
  EXPECT_TRUE(stream_->Finish().ok());
}

TEST_F(InferStream, AnErrorIsInBandAndTheStreamGoesOn) {
  const double streamed = Metric(HttpGet(server_->http_address(), "/metrics").body, kStreamed);
  const double refused = Metric(HttpGet(server_->http_address(), "/metrics").body, kRefused);
  Open();
  ASSERT_TRUE(stream_->Write(Spoiled("bad")));
  ModelInferRequest unknown = WithId(SeedBlockRequest(1, 16), "unknown");
  unknown.set_model_name("nobody");
  ASSERT_TRUE(stream_->Write(unknown));
  ASSERT_TRUE(stream_->Write(WithId(SeedBlockRequest(1, 16), "good")));
  ModelStreamInferResponse response = Read();
  EXPECT_THAT(response.error_message(), HasSubstr("input 'x'"));
  EXPECT_EQ(response.infer_response().id(), "bad");
  EXPECT_EQ(response.infer_response().model_name(), "seed_block");
  EXPECT_EQ(response.infer_response().outputs_size(), 0);
  response = Read();
  EXPECT_THAT(response.error_message(), HasSubstr("nobody"));
  EXPECT_EQ(response.infer_response().id(), "unknown");
  response = Read();
  EXPECT_EQ(response.error_message(), "");
  EXPECT_EQ(response.infer_response().id(), "good");
  stream_->WritesDone();
  EXPECT_TRUE(stream_->Finish().ok());
  const std::string metrics = HttpGet(server_->http_address(), "/metrics").body;
  EXPECT_EQ(Metric(metrics, kStreamed), streamed + 1);
  EXPECT_EQ(Metric(metrics, kRefused), refused + 1);
}

TEST_F(InferStream, WithTritonGrpcErrorTheFirstErrorIsTheCallsStatus) {
  context_.AddMetadata("triton_grpc_error", "true");
  Open();
  ASSERT_TRUE(stream_->Write(WithId(SeedBlockRequest(8, 2'000), "good")));
  ASSERT_TRUE(stream_->Write(Spoiled("bad")));
  stream_->Write(WithId(SeedBlockRequest(1, 16), "after"));
  EXPECT_EQ(Read().infer_response().id(), "good") << "what came before is answered";
  ModelStreamInferResponse response;
  EXPECT_FALSE(stream_->Read(&response)) << response.ShortDebugString();
  const grpc::Status status = stream_->Finish();
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("input 'x'"));
}

TEST_F(InferStream, TheParametersOfTritonsClientsAreTaken) {
  Open();
  ModelInferRequest request = SeedBlockRequest(1, 16);
  (*request.mutable_parameters())["triton_enable_empty_final_response"].set_bool_param(true);
  (*request.mutable_parameters())["timeout"].set_int64_param(60'000'000);
  ASSERT_TRUE(stream_->Write(request));
  const ModelStreamInferResponse response = Read();
  EXPECT_EQ(response.error_message(), "");
  EXPECT_TRUE(response.infer_response().parameters().at("triton_final_response").bool_param());
}

TEST_F(InferStream, ATimeoutThatHasPassedIsAnErrorOfItsRequestOnly) {
  Open();
  ModelInferRequest late = SeedBlockRequest(1, 16);
  (*late.mutable_parameters())["timeout"].set_int64_param(1);
  ASSERT_TRUE(stream_->Write(late));
  ASSERT_TRUE(stream_->Write(SeedBlockRequest(1, 16)));
  EXPECT_THAT(Read().error_message(), HasSubstr("deadline"));
  EXPECT_EQ(Read().error_message(), "");
}

TEST_F(InferStream, MoreStreamsThanAllowedAreRefused) {
  struct Call {
    grpc::ClientContext context;
    std::unique_ptr<Stream> stream;
  };
  std::vector<std::unique_ptr<Call>> calls;
  ModelStreamInferResponse response;
  for (int i = 0; i < 4; ++i) {
    calls.push_back(std::make_unique<Call>());
    LimitTime(calls.back()->context);
    calls.back()->stream = client_->inference->ModelStreamInfer(&calls.back()->context);
    ASSERT_TRUE(calls.back()->stream->Write(SeedBlockRequest(1, 16)));
    ASSERT_TRUE(calls.back()->stream->Read(&response)) << "another test's stream has ended: the place is free";
  }
  Open();
  EXPECT_FALSE(stream_->Read(&response));
  const grpc::Status status = stream_->Finish();
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("at most 4 inference streams"));
  EXPECT_EQ(context_.GetServerTrailingMetadata().count("grpc-retry-pushback-ms"), 1U);
  for (const auto& call : calls) {
    call->stream->WritesDone();
    EXPECT_TRUE(call->stream->Finish().ok());
  }
}

TEST_F(InferStream, AClientThatIsGoneLeavesNothingBehind) {
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    LimitTime(context);
    const auto stream = client_->inference->ModelStreamInfer(&context);
    for (int j = 0; j < 8; ++j) stream->Write(SeedBlockRequest(16, 2'000));
    context.TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
  }
  // Each of them has given back its place.
  ModelStreamInferResponse response;
  StatusCode code = StatusCode::UNKNOWN;
  do {
    grpc::ClientContext context;
    LimitTime(context);
    const auto stream = client_->inference->ModelStreamInfer(&context);
    if (stream->Write(SeedBlockRequest(1, 16)) && stream->Read(&response)) stream->WritesDone();
    code = stream->Finish().error_code();
  } while (code == StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(code, StatusCode::OK);
}

TEST_F(InferStream, AClientThatDoesNotReadIsNotReadFromEither) {
  // Far more than what the stream may hold and the connection takes on its way: 64 KiB, as it may not grow.
  constexpr int kRequests = 3000;
  const ModelInferRequest request = SeedBlockRequest(32, 16);  // the response has 640 bytes
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  const auto stub = Inference::NewStub(
      grpc::CreateCustomChannel(server_->grpc_address(), grpc::InsecureChannelCredentials(), arguments));
  const double before = Metric(HttpGet(server_->http_address(), "/metrics").body, kStreamed);
  stream_ = stub->ModelStreamInfer(&context_);
  std::thread writer([&] {
    for (int i = 0; i < kRequests; ++i) EXPECT_TRUE(stream_->Write(request));
    stream_->WritesDone();
  });
  const auto answered = [&] { return Metric(HttpGet(server_->http_address(), "/metrics").body, kStreamed) - before; };
  while (answered() < 64) std::this_thread::yield();
  // The workers have time for others; were the stream read on, it would be through before them.
  inference::ModelInferResponse unary;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(Call(*client_->inference, &Inference::Stub::ModelInfer, SeedBlockRequest(32, 16), &unary).ok());
  }
  EXPECT_LT(answered(), kRequests / 2);
  for (int i = 0; i < kRequests; ++i) EXPECT_EQ(Read().error_message(), "");
  writer.join();
  EXPECT_TRUE(stream_->Finish().ok());
  EXPECT_EQ(answered(), kRequests);
}

TEST(InferStreamLifecycle, SigtermAnswersWhatWasReadAndEndsTheStreamWithUnavailable) {
  auto started = test_support::ServerProcess::Start({ModelFlag("seed_block"), "--workers=1", "--max_batch_size=1"});
  ASSERT_TRUE(started.ok()) << started.status();
  Client client((*started)->grpc_address());
  grpc::ClientContext context;
  LimitTime(context);
  const auto stream = client.inference->ModelStreamInfer(&context);
  constexpr int kRequests = 6;
  for (int i = 0; i < kRequests; ++i) ASSERT_TRUE(stream->Write(WithId(SeedBlockRequest(1, 100'000), absl::StrCat(i))));
  ModelStreamInferResponse response;
  ASSERT_TRUE(stream->Read(&response));
  (*started)->Signal(SIGTERM);
  int answered = 1;
  while (stream->Read(&response)) {
    EXPECT_EQ(response.infer_response().id(), absl::StrCat(answered)) << "in order to the end";
    EXPECT_THAT(response.error_message(), testing::AnyOf("", HasSubstr("stopping")));
    ++answered;
  }
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ((*started)->Wait(), 0) << (*started)->Log();
}

}  // namespace
}  // namespace stillwave::integration
