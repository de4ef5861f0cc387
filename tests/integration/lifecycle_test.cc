// Start and end of the real program: flags, ports, models that are refused, signals.
#include <signal.h>

#include <thread>

#include "gmock/gmock.h"
#include "tests/integration/rpc.h"

namespace stillwave::integration {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using test_support::ProgramResult;
using test_support::RunProgram;
using test_support::ServerProcess;
using testing::HasSubstr;

std::unique_ptr<ServerProcess> MustStart(std::vector<std::string> flags) {
  auto server = ServerProcess::Start(std::move(flags));
  EXPECT_TRUE(server.ok()) << server.status();
  return server.ok() ? *std::move(server) : nullptr;
}

TEST(Lifecycle, SigtermAnswersWhatWasAcceptedAndExitsWithZero) {
  const auto server = MustStart({ModelFlag("seed_block"), "--workers=1", "--max_batch_size=1"});
  ASSERT_NE(server, nullptr);
  Client client(server->grpc_address());
  constexpr int kRequests = 8;
  AsyncInfer requests(client);
  const inference::ModelInferRequest request = SeedBlockRequest(1, 100'000);
  const AsyncInfer::Call* last = nullptr;
  for (int i = 0; i < kRequests; ++i) last = &requests.Start(request);
  // One more is with the worker.
  const std::string waiting = "stillwave_queue_samples{model=\"seed_block\",version=\"1\"}";
  while (Metric(HttpGet(server->http_address(), "/metrics").body, waiting) < kRequests / 2 && !last->answered) {
    std::this_thread::yield();
  }
  server->Signal(SIGTERM);
  int answered = 0;
  for (int i = 0; i < kRequests; ++i) {
    const grpc::StatusCode code = requests.Next().status.error_code();
    answered += code == grpc::StatusCode::OK ? 1 : 0;
    // What came after the signal was told so.
    EXPECT_THAT(code, testing::AnyOf(grpc::StatusCode::OK, grpc::StatusCode::UNAVAILABLE));
  }
  EXPECT_GE(answered, kRequests / 2);
  EXPECT_EQ(server->Wait(), 0) << server->Log();
}

TEST(Lifecycle, CtrlCStopsAsSigtermDoes) {
  const auto server = MustStart({ModelFlag("seed_block")});
  ASSERT_NE(server, nullptr);
  server->Signal(SIGINT);
  EXPECT_EQ(server->Wait(), 0);
}

TEST(Lifecycle, DuringTheDrainDelayNothingIsReadyAndEverythingIsServed) {
  const auto server = MustStart({ModelFlag("seed_block"), "--drain_delay=3600"});
  ASSERT_NE(server, nullptr);
  Client client(server->grpc_address());
  grpc::ClientContext context;
  LimitTime(context);
  const auto watch = client.health->Watch(&context, HealthCheckRequest());
  HealthCheckResponse health;
  ASSERT_TRUE(watch->Read(&health));
  EXPECT_EQ(health.status(), HealthCheckResponse::SERVING);

  server->Signal(SIGTERM);
  ASSERT_TRUE(watch->Read(&health)) << "a watcher is told";
  EXPECT_EQ(health.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(HttpGet(server->http_address(), "/readyz").status, 503);
  EXPECT_EQ(HttpGet(server->http_address(), "/livez").status, 200);
  inference::ServerReadyResponse ready;
  EXPECT_TRUE(Call(*client.inference, &Inference::Stub::ServerReady, {}, &ready).ok());
  EXPECT_FALSE(ready.ready());
  inference::ModelInferResponse response;
  EXPECT_TRUE(Call(*client.inference, &Inference::Stub::ModelInfer, SeedBlockRequest(1, 16), &response).ok());

  server->Signal(SIGTERM);
  EXPECT_EQ(server->Wait(), 128 + SIGTERM) << "a second signal does not wait";
}

TEST(Lifecycle, AHealthWatcherIsToldAndDoesNotHoldTheServer) {
  const auto server = MustStart({ModelFlag("seed_block")});
  ASSERT_NE(server, nullptr);
  Client client(server->grpc_address());
  grpc::ClientContext context;
  LimitTime(context);
  const auto watch = client.health->Watch(&context, HealthCheckRequest());
  HealthCheckResponse health;
  ASSERT_TRUE(watch->Read(&health));
  server->Signal(SIGTERM);
  ASSERT_TRUE(watch->Read(&health));
  EXPECT_EQ(health.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(watch->Read(&health));
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(server->Wait(), 0);
}

TEST(Lifecycle, AStreamHearsThatTheServerStopsAfterItsResults) {
  const auto server = MustStart({ModelFlag("seed_block")});
  ASSERT_NE(server, nullptr);
  Client client(server->grpc_address());
  grpc::ClientContext context;
  LimitTime(context);
  const auto stream = client.streams->StreamWindows(&context);
  v1::StreamWindowsRequest request;
  request.mutable_open()->set_series_id("s");
  request.mutable_open()->set_model_name("seed_block");
  request.mutable_open()->set_window_length(16);
  ASSERT_TRUE(stream->Write(request));
  request.mutable_chunk()->set_series_id("s");
  request.mutable_chunk()->set_fp32_samples(BytesOf(Signal(1, 16, 3)));
  ASSERT_TRUE(stream->Write(request));
  v1::StreamWindowsResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_TRUE(response.has_opened());
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_TRUE(response.has_window());

  server->Signal(SIGTERM);
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_TRUE(response.has_draining()) << response.ShortDebugString();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(server->Wait(), 0);
}

TEST(Lifecycle, APortThatIsTakenIsASentenceAndExitStatusOne) {
  const auto server = MustStart({ModelFlag("seed_block")});
  ASSERT_NE(server, nullptr);
  const ProgramResult grpc_taken = RunProgram(
      "stillwave-server",
      {ModelFlag("seed_block"), absl::StrCat("--grpc_address=", server->grpc_address()), "--http_address=127.0.0.1:0"});
  EXPECT_EQ(grpc_taken.exit_code, 1);
  EXPECT_THAT(grpc_taken.err, testing::AllOf(HasSubstr("--grpc_address"), HasSubstr(server->grpc_address())));
  const ProgramResult http_taken = RunProgram(
      "stillwave-server",
      {ModelFlag("seed_block"), absl::StrCat("--http_address=", server->http_address()), "--grpc_address=127.0.0.1:0"});
  EXPECT_EQ(http_taken.exit_code, 1);
  EXPECT_THAT(http_taken.err, testing::AllOf(HasSubstr("--http_address"), HasSubstr(server->http_address())));
}

TEST(Lifecycle, WrongFlagsAreNamedAndExitStatusIsTwo) {
  for (const auto& [flag, words] : std::vector<std::pair<std::string, std::string>>{
           {"--workers=0", "--workers must be between 1 and 1024; was 0"},
           {"--batchnorm=train", "--batchnorm must be one of primitive, folded; was \"train\""},
           {"--grpc_address=here", "--grpc_address must be host:port"},
           {"--no_such_flag=1", "--no_such_flag"}}) {
    const ProgramResult result = RunProgram("stillwave-server", {flag});
    EXPECT_EQ(result.exit_code, 2) << flag;
    EXPECT_THAT(result.err, HasSubstr(words));
  }
}

TEST(Lifecycle, AModelFileThatIsRefusedIsExitStatusOneWithTheReason) {
  const TemporaryFolder folder;
  folder.Write("broken.onnx", "this is no ONNX file");
  const ProgramResult broken =
      RunProgram("stillwave-server", {absl::StrCat("--model=", (folder.path() / "broken.onnx").string()),
                                      "--grpc_address=127.0.0.1:0", "--http_address=127.0.0.1:0"});
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_THAT(broken.err, testing::AllOf(HasSubstr("cannot start"), HasSubstr("broken")));
  const ProgramResult missing =
      RunProgram("stillwave-server", {absl::StrCat("--model=", (folder.path() / "missing.onnx").string()),
                                      "--grpc_address=127.0.0.1:0", "--http_address=127.0.0.1:0"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("missing.onnx"));
}

TEST(Lifecycle, ARepositoryServesItsGoodModelsAndListsTheReasonOfTheBadOnes) {
  const TemporaryFolder folder;
  folder.AddModel("seed_block", "good", "3");
  folder.Write("bad/1/model.onnx", "this is no ONNX file");
  const auto server = MustStart({folder.RepositoryFlag()});
  ASSERT_NE(server, nullptr);
  EXPECT_THAT(server->Log(), testing::ContainsRegex("model refused model=bad"));
  Client client(server->grpc_address());
  inference::ModelInferRequest request = SeedBlockRequest(1, 16);
  request.set_model_name("good");
  inference::ModelInferResponse response;
  const grpc::Status good = Call(*client.inference, &Inference::Stub::ModelInfer, request, &response);
  EXPECT_TRUE(good.ok()) << good.error_message();
  EXPECT_EQ(response.model_version(), "3");
  request.set_model_name("bad");
  const grpc::Status bad = Call(*client.inference, &Inference::Stub::ModelInfer, request, &response);
  EXPECT_EQ(bad.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(bad.error_message(), HasSubstr("'bad'"));
  inference::ModelReadyRequest ready_request;
  ready_request.set_name("bad");
  inference::ModelReadyResponse ready;
  EXPECT_TRUE(Call(*client.inference, &Inference::Stub::ModelReady, ready_request, &ready).ok());
  EXPECT_FALSE(ready.ready());
  EXPECT_EQ(HttpGet(server->http_address(), "/readyz").status, 200) << "one bad model does not stop the others";
}

TEST(Lifecycle, StrictReadinessIsOffWhileAModelIsRefused) {
  const TemporaryFolder folder;
  folder.AddModel("seed_block", "good", "1");
  folder.Write("bad/1/model.onnx", "this is no ONNX file");
  const auto server = MustStart({folder.RepositoryFlag(), "--strict_readiness"});
  ASSERT_NE(server, nullptr);
  const HttpAnswer ready = HttpGet(server->http_address(), "/readyz");
  EXPECT_EQ(ready.status, 503);
  EXPECT_THAT(ready.body, HasSubstr("'bad'"));
}

TEST(Lifecycle, ARepositoryThatIsNotThereIsExitStatusOne) {
  const ProgramResult result =
      RunProgram("stillwave-server",
                 {"--model_repository=/no/such/folder", "--grpc_address=127.0.0.1:0", "--http_address=127.0.0.1:0"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("/no/such/folder"));
}

TEST(Lifecycle, FlagsAreTheDefaultsOfModels) {
  const auto server = MustStart({ModelFlag("seed_block"), "--max_batch_size=2", "--batchnorm=folded"});
  ASSERT_NE(server, nullptr);
  Client client(server->grpc_address());
  inference::ModelInferResponse response;
  const grpc::Status status = Call(*client.inference, &Inference::Stub::ModelInfer, SeedBlockRequest(3, 16), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(HttpGet(server->http_address(), "/metrics").body, HasSubstr("batchnorm=\"folded\""));
}

TEST(Lifecycle, WithoutFlagsTheDemonstrationModelIsServed) {
  const auto server = MustStart({});
  ASSERT_NE(server, nullptr);
  Client client(server->grpc_address());
  inference::ModelReadyRequest request;
  request.set_name("ecg-beats");
  inference::ModelReadyResponse response;
  EXPECT_TRUE(Call(*client.inference, &Inference::Stub::ModelReady, request, &response).ok());
  EXPECT_TRUE(response.ready());
}

TEST(Lifecycle, DescribeVersionAndHelpPrintAndLeave) {
  const ProgramResult describe = RunProgram("stillwave-server", {"--describe", ModelFlag("seed_block")});
  EXPECT_EQ(describe.exit_code, 0);
  EXPECT_THAT(describe.out, testing::AllOf(HasSubstr("BatchNormalization"), testing::ContainsRegex("bnorm[a-z_]*jit")));
  EXPECT_EQ(RunProgram("stillwave-server", {"--version"}).exit_code, 0);
  const ProgramResult help = RunProgram("stillwave-server", {"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("--model_repository"));
}

TEST(Lifecycle, JsonLogsAreOneObjectALine) {
  const ProgramResult result = RunProgram(
      "stillwave-server",
      {"--model=/no/such.onnx", "--log_format=json", "--grpc_address=127.0.0.1:0", "--http_address=127.0.0.1:0"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, testing::StartsWith("{\"time\":"));
  EXPECT_THAT(result.err, HasSubstr("\"message\":\"cannot start\",\"reason\":"));
}

}  // namespace
}  // namespace stillwave::integration
