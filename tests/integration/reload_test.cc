// --model_control_mode=poll: the folder changes under the real server.
#include <signal.h>

#include <set>

#include "gmock/gmock.h"
#include "tests/integration/scale_models.h"

namespace stillwave::integration {
namespace {

namespace fs = std::filesystem;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using test_support::ServerProcess;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Reload : public testing::Test {
 protected:
  void Start(std::vector<std::string> flags = {}) {
    flags.insert(flags.end(), {folder_.RepositoryFlag(), "--model_control_mode=poll", "--repository_poll_seconds=1"});
    auto server = ServerProcess::Start(flags);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    client_ = std::make_unique<Client>(server_->grpc_address());
  }
  std::string Metrics() const { return HttpGet(server_->http_address(), "/metrics").body; }
  void ExpectCleanEnd() {
    server_->Signal(SIGTERM);
    EXPECT_EQ(server_->Wait(), 0) << server_->Log();
  }

  TemporaryFolder folder_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<Client> client_;
};

TEST_F(Reload, RequestsInFlightNeverFailAndAreAnsweredByTheOldOrTheNewVersion) {
  PutScale(folder_, "m", "1", 2);
  Start({"--workers=2"});
  const inference::ModelInferRequest request = ScaleRequest("m", /*samples=*/3, /*length=*/500);
  constexpr int kInFlight = 16;
  AsyncInfer requests(*client_);
  int in_flight = 0;
  std::set<float> allowed = {2};
  std::set<float> seen;
  const auto one_more = [&] {
    for (; in_flight < kInFlight; ++in_flight) requests.Start(request);
    const AsyncInfer::Call& call = requests.Next();
    --in_flight;
    ASSERT_TRUE(call.status.ok()) << call.status.error_message();
    const float factor = FactorIn(request, call.response);
    ASSERT_TRUE(allowed.contains(factor)) << "answered with factor " << factor;
    seen.insert(factor);
  };
  // A new version, another one, then the same one with other files; and once more.
  const std::pair<const char*, float> swaps[] = {{"2", 3}, {"3", 5}, {"3", 7}, {"4", 11}};
  for (const auto& [version, factor] : swaps) {
    allowed.insert(factor);
    PutScale(folder_, "m", version, factor);
    while (!seen.contains(factor)) {
      one_more();
      if (HasFatalFailure()) return;
    }
    // Requests that were sent before the swap may still be on their way; those that are sent now are not.
    while (in_flight > 0) {
      const AsyncInfer::Call& call = requests.Next();
      --in_flight;
      ASSERT_TRUE(call.status.ok()) << call.status.error_message();
      ASSERT_TRUE(allowed.contains(FactorIn(request, call.response)));
    }
    allowed = {factor};
    for (int i = 0; i < 200; ++i) {
      one_more();
      if (HasFatalFailure()) return;
    }
  }
  while (in_flight-- > 0) EXPECT_TRUE(requests.Next().status.ok());
  EXPECT_THAT(IndexOf(*client_), ElementsAre("m/4 READY"));
  EXPECT_THAT(Metrics(), AllOf(Not(HasSubstr("model=\"m\",version=\"2\"")),
                               HasSubstr("stillwave_model_loads_total{model=\"m\",result=\"ready\"} 5"),
                               HasSubstr("stillwave_model_loads_total{model=\"m\",result=\"refused\"} 0")));
  ExpectCleanEnd();
}

TEST_F(Reload, AStreamKeepsTheVersionThatItOpened) {
  PutScale(folder_, "m", "1", 2);
  Start();
  grpc::ClientContext context;
  LimitTime(context);
  const auto stream = client_->streams->StreamWindows(&context);
  const std::vector<float> samples = Signal(1, 1, 16);
  const auto open = [&](const std::string& series) {
    v1::StreamWindowsRequest request;
    request.mutable_open()->set_series_id(series);
    request.mutable_open()->set_model_name("m");
    request.mutable_open()->set_window_length(16);
    ASSERT_TRUE(stream->Write(request));
    v1::StreamWindowsResponse response;
    ASSERT_TRUE(stream->Read(&response));
    ASSERT_TRUE(response.has_opened()) << response.ShortDebugString();
  };
  const auto factor_of = [&](const std::string& series) -> float {
    v1::StreamWindowsRequest request;
    request.mutable_chunk()->set_series_id(series);
    request.mutable_chunk()->set_fp32_samples(BytesOf(samples));
    EXPECT_TRUE(stream->Write(request));
    v1::StreamWindowsResponse response;
    EXPECT_TRUE(stream->Read(&response));
    if (!response.has_window()) {
      ADD_FAILURE() << response.ShortDebugString();
      return 0;
    }
    const float answer = FloatsOf(response.window().outputs(0).fp32_values()).at(0);
    for (float factor = 1; factor < 100; ++factor) {
      if (answer == factor * samples[0]) return factor;
    }
    return 0;
  };
  open("old");
  EXPECT_EQ(factor_of("old"), 2);
  PutScale(folder_, "m", "2", 3);
  ASSERT_TRUE(Until([&] { return FactorNow(*client_, "m") == 3; })) << server_->Log();
  EXPECT_EQ(factor_of("old"), 2);
  open("new");
  EXPECT_EQ(factor_of("new"), 3);
  EXPECT_EQ(factor_of("old"), 2);
  EXPECT_THAT(Metrics(), HasSubstr("stillwave_stream_series{model=\"m\",version=\"1\"} 1"));
  stream->WritesDone();
  v1::StreamWindowsResponse response;
  while (stream->Read(&response)) {
  }
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_TRUE(Until([&] { return Metrics().find("version=\"1\"") == std::string::npos; })) << "the old one is gone";
}

TEST_F(Reload, ABadVersionIsInTheLogTheIndexAndAMetricAndTheOldOneServes) {
  PutScale(folder_, "m", "1", 2);
  Start({"--strict_readiness"});
  PutFile(folder_, "m/2/model.onnx", "this is no ONNX file");
  ASSERT_TRUE(server_->WaitForLog("model refused model=m version=2"));
  // The log has it a moment before the index.
  const auto refused = ElementsAre("m/1 READY", StartsWith("m/2 UNAVAILABLE: "));
  EXPECT_TRUE(Until([&] { return testing::Value(IndexOf(*client_), refused); }));
  EXPECT_THAT(IndexOf(*client_), refused);
  EXPECT_THAT(IndexOf(*client_, /*ready=*/true), ElementsAre("m/1 READY"));
  EXPECT_THAT(Metrics(), AllOf(HasSubstr("stillwave_model_ready{model=\"m\",version=\"2\"} 0"),
                               HasSubstr("stillwave_model_loads_total{model=\"m\",result=\"refused\"} 1")));
  EXPECT_EQ(FactorNow(*client_, "m"), 2);
  EXPECT_EQ(HttpGet(server_->http_address(), "/readyz").status, 200);
  ExpectCleanEnd();
}

TEST_F(Reload, HealthOfAModelFollowsItsFolder) {
  Start();
  HealthCheckRequest request;
  request.set_service("m");
  grpc::ClientContext context;
  LimitTime(context);
  const auto watch = client_->health->Watch(&context, request);
  HealthCheckResponse health;
  ASSERT_TRUE(watch->Read(&health));
  EXPECT_EQ(health.status(), HealthCheckResponse::SERVICE_UNKNOWN);
  PutScale(folder_, "m", "1", 2);
  do {
    ASSERT_TRUE(watch->Read(&health));  // NOT_SERVING while it loads
  } while (health.status() != HealthCheckResponse::SERVING);
  fs::remove_all(folder_.path() / "m");
  ASSERT_TRUE(watch->Read(&health));
  EXPECT_EQ(health.status(), HealthCheckResponse::SERVICE_UNKNOWN);
  inference::ModelInferResponse response;
  EXPECT_EQ(Call(*client_->inference, &Inference::Stub::ModelInfer, ScaleRequest("m"), &response).error_code(),
            grpc::StatusCode::NOT_FOUND);
  ExpectCleanEnd();
}

TEST_F(Reload, ARepositoryThatGoesAwayLeavesEverythingServing) {
  PutScale(folder_, "m", "1", 2);
  Start();
  const fs::path elsewhere = folder_.path().string() + "_elsewhere";
  fs::rename(folder_.path(), elsewhere);
  EXPECT_TRUE(server_->WaitForLog("the model repository cannot be read"));
  EXPECT_EQ(Metric(Metrics(), "stillwave_repository_readable"), 0);
  EXPECT_EQ(FactorNow(*client_, "m"), 2);
  fs::rename(elsewhere, folder_.path());
  EXPECT_TRUE(server_->WaitForLog("the model repository can be read again"));
  EXPECT_EQ(FactorNow(*client_, "m"), 2);
  ExpectCleanEnd();
}

TEST_F(Reload, SigtermWhileModelsLoadIsObeyed) {
  PutScale(folder_, "m", "1", 2);
  Start();
  // More than can be loaded while the signal is on its way.
  for (int i = 0; i < 300; ++i) folder_.AddModel("seed_block", absl::StrCat("more", i), "1");
  ASSERT_TRUE(server_->WaitForLog("model ready model=more"));
  ExpectCleanEnd();
  EXPECT_THAT(server_->Log(), Not(HasSubstr("model refused")));
}

TEST(ReloadStart, SigtermWhileTheFirstModelsLoadIsObeyed) {
  TemporaryFolder folder;
  for (int i = 0; i < 300; ++i) folder.AddModel("seed_block", absl::StrCat("m", i), "1");
  for (const char* mode : {"none", "poll"}) {
    const auto server = ServerProcess::StartAndWaitForLog(
        {folder.RepositoryFlag(), absl::StrCat("--model_control_mode=", mode)}, "model ready");
    ASSERT_TRUE(server.ok()) << server.status();
    (*server)->Signal(SIGTERM);
    EXPECT_EQ((*server)->Wait(), 0) << (*server)->Log();
    EXPECT_THAT((*server)->Log(), AllOf(Not(HasSubstr("model refused")), Not(HasSubstr(" serving "))));
  }
}

}  // namespace
}  // namespace stillwave::integration
