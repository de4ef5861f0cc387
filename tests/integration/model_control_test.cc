// --model_control_mode=explicit: clients load and unload.
#include <signal.h>

#include "gmock/gmock.h"
#include "tests/integration/scale_models.h"

namespace stillwave::integration {
namespace {

using grpc::StatusCode;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using inference::RepositoryModelLoadRequest;
using inference::RepositoryModelUnloadRequest;
using test_support::ServerProcess;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class ExplicitControl : public testing::Test {
 protected:
  void Start(std::vector<std::string> flags = {}) {
    flags.insert(flags.end(), {folder_.RepositoryFlag(), "--model_control_mode=explicit"});
    auto server = ServerProcess::Start(flags);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    client_ = std::make_unique<Client>(server_->grpc_address());
  }
  grpc::Status Load(const RepositoryModelLoadRequest& request) {
    inference::RepositoryModelLoadResponse response;
    return Call(*client_->inference, &Inference::Stub::RepositoryModelLoad, request, &response);
  }
  grpc::Status Load(const std::string& model) {
    RepositoryModelLoadRequest request;
    request.set_model_name(model);
    return Load(request);
  }
  grpc::Status Unload(const RepositoryModelUnloadRequest& request) {
    inference::RepositoryModelUnloadResponse response;
    return Call(*client_->inference, &Inference::Stub::RepositoryModelUnload, request, &response);
  }
  grpc::Status Unload(const std::string& model) {
    RepositoryModelUnloadRequest request;
    request.set_model_name(model);
    return Unload(request);
  }
  static void ExpectRefused(const grpc::Status& status, StatusCode code, const std::string& words) {
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(words));
  }

  TemporaryFolder folder_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<Client> client_;
};

TEST_F(ExplicitControl, ModelsComeAndGoAsClientsAsk) {
  PutScale(folder_, "a", "1", 2);
  PutScale(folder_, "b", "1", 3);
  Start({"--load_model=a", "--strict_readiness"});
  EXPECT_EQ(HttpGet(server_->http_address(), "/readyz").status, 200);
  EXPECT_THAT(IndexOf(*client_), ElementsAre("a/1 READY", "b/ UNAVAILABLE: not loaded"));
  EXPECT_THAT(IndexOf(*client_, /*ready=*/true), ElementsAre("a/1 READY"));
  EXPECT_TRUE(Load("b").ok());
  EXPECT_EQ(FactorNow(*client_, "b"), 3) << "loaded when the call is answered";
  EXPECT_TRUE(Unload("a").ok());
  EXPECT_THAT(IndexOf(*client_), ElementsAre("a/1 UNAVAILABLE: unloaded", "b/1 READY"));
  inference::ModelInferResponse response;
  ExpectRefused(Call(*client_->inference, &Inference::Stub::ModelInfer, ScaleRequest("a"), &response),
                StatusCode::UNAVAILABLE, "model 'a' version 1 is not ready: unloaded");
  PutScale(folder_, "b", "2", 5);
  EXPECT_TRUE(Load("b").ok());
  EXPECT_EQ(FactorNow(*client_, "b"), 5);
  PutFile(folder_, "b/3/model.onnx", "this is no ONNX file");
  ExpectRefused(Load("b"), StatusCode::INVALID_ARGUMENT, "failed to load 'b': version 3: ");
  EXPECT_EQ(FactorNow(*client_, "b"), 5);
  EXPECT_THAT(IndexOf(*client_),
              ElementsAre("a/1 UNAVAILABLE: unloaded", "b/2 READY", StartsWith("b/3 UNAVAILABLE: ")));
  server_->Signal(SIGTERM);
  EXPECT_EQ(server_->Wait(), 0) << server_->Log();
}

TEST_F(ExplicitControl, RequestsThatCannotBeObeyedAreRefusedByName) {
  PutScale(folder_, "a", "1", 2);
  Start();
  ExpectRefused(Load(""), StatusCode::INVALID_ARGUMENT, "model_name must name a model");
  ExpectRefused(Load("nobody"), StatusCode::NOT_FOUND, "'nobody'");
  ExpectRefused(Unload("nobody"), StatusCode::NOT_FOUND, "'nobody'");
  ExpectRefused(Load("../a"), StatusCode::INVALID_ARGUMENT, "must be that of a folder in the repository; was '../a'");
  RepositoryModelLoadRequest load;
  load.set_repository_name("a");
  ExpectRefused(Load(load), StatusCode::INVALID_ARGUMENT, "model_name (field 2) must name a model");
  load.set_model_name("a");
  ExpectRefused(Load(load), StatusCode::INVALID_ARGUMENT, "repository_name must be empty");
  load.clear_repository_name();
  (*load.mutable_parameters())["file:1/model.onnx"].set_bytes_param("x");
  ExpectRefused(Load(load), StatusCode::UNIMPLEMENTED, "parameter 'file:1/model.onnx' is not supported");
  load.clear_parameters();
  (*load.mutable_parameters())["speed"].set_string_param("high");
  ExpectRefused(Load(load), StatusCode::INVALID_ARGUMENT, "parameter 'speed' is not known");
  load.clear_parameters();
  (*load.mutable_parameters())["config"].set_int64_param(1);
  ExpectRefused(Load(load), StatusCode::INVALID_ARGUMENT, "parameter 'config' must be a string");
  RepositoryModelUnloadRequest unload;
  unload.set_model_name("a");
  (*unload.mutable_parameters())["unload_dependents"].set_string_param("yes");
  ExpectRefused(Unload(unload), StatusCode::INVALID_ARGUMENT, "parameter 'unload_dependents' must be a bool");
  inference::RepositoryIndexRequest index;
  index.set_repository_name("other");
  inference::RepositoryIndexResponse response;
  ExpectRefused(Call(*client_->inference, &Inference::Stub::RepositoryIndex, index, &response),
                StatusCode::INVALID_ARGUMENT, "repository_name must be empty");
}

TEST_F(ExplicitControl, ParametersOfTritonsClientsAreObeyed) {
  PutScale(folder_, "a", "1", 2);
  PutScale(folder_, "a", "2", 3);
  Start({"--load_model=*"});
  EXPECT_EQ(FactorNow(*client_, "a"), 3);
  RepositoryModelLoadRequest load;
  load.set_model_name("a");
  (*load.mutable_parameters())["config"].set_string_param(
      R"({"backend": "onnxruntime", "version_policy": {"specific": {"versions": [1]}}})");
  EXPECT_TRUE(Load(load).ok());
  EXPECT_EQ(FactorNow(*client_, "a"), 2);
  RepositoryModelUnloadRequest unload;
  unload.set_model_name("a");
  (*unload.mutable_parameters())["unload_dependents"].set_bool_param(false);
  EXPECT_TRUE(Unload(unload).ok());
}

TEST_F(ExplicitControl, HealthOfAModelFollowsLoadsAndUnloads) {
  PutScale(folder_, "a", "1", 2);
  Start();
  HealthCheckRequest request;
  request.set_service("a");
  grpc::ClientContext context;
  LimitTime(context);
  const auto watch = client_->health->Watch(&context, request);
  HealthCheckResponse health;
  ASSERT_TRUE(watch->Read(&health));
  EXPECT_EQ(health.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_TRUE(Load("a").ok());
  ASSERT_TRUE(watch->Read(&health));
  EXPECT_EQ(health.status(), HealthCheckResponse::SERVING);
  EXPECT_TRUE(Unload("a").ok());
  ASSERT_TRUE(watch->Read(&health));
  EXPECT_EQ(health.status(), HealthCheckResponse::NOT_SERVING);
}

TEST_F(ExplicitControl, SigtermAnswersLoadsThatWait) {
  for (int i = 0; i < 100; ++i) folder_.AddModel("seed_block", absl::StrCat("m", i), "1");
  Start();
  struct Waiting {
    grpc::ClientContext context;
    inference::RepositoryModelLoadResponse response;
    grpc::Status status;
  };
  std::vector<std::thread> clients;
  std::vector<Waiting> waiting(100);
  for (int i = 0; i < 100; ++i) {
    clients.emplace_back([this, &one = waiting[static_cast<size_t>(i)], i] {
      RepositoryModelLoadRequest request;
      request.set_model_name(absl::StrCat("m", i));
      LimitTime(one.context);
      one.context.set_wait_for_ready(false);
      one.status = client_->inference->RepositoryModelLoad(&one.context, request, &one.response);
    });
  }
  ASSERT_TRUE(server_->WaitForLog("model ready model=m"));
  server_->Signal(SIGTERM);
  EXPECT_EQ(server_->Wait(), 0) << server_->Log();
  for (std::thread& client : clients) client.join();
  for (const Waiting& one : waiting) {
    EXPECT_THAT(one.status.error_code(), testing::AnyOf(StatusCode::OK, StatusCode::UNAVAILABLE))
        << one.status.error_message();
  }
  EXPECT_THAT(server_->Log(), testing::Not(HasSubstr("model refused")));
}

TEST(ControlModes, LoadsAndUnloadsAreRefusedWhereTheyAreOff) {
  TemporaryFolder folder;
  PutScale(folder, "a", "1", 2);
  for (const auto& [mode, words] : {std::pair("none", "is not allowed with --model_control_mode=none"),
                                    std::pair("poll",
                                              "explicit model load / unload is not allowed if polling is "
                                              "enabled")}) {
    auto server = ServerProcess::Start({folder.RepositoryFlag(), absl::StrCat("--model_control_mode=", mode)});
    ASSERT_TRUE(server.ok()) << server.status();
    Client client((*server)->grpc_address());
    RepositoryModelLoadRequest load;
    load.set_model_name("a");
    inference::RepositoryModelLoadResponse loaded;
    const grpc::Status refused = Call(*client.inference, &Inference::Stub::RepositoryModelLoad, load, &loaded);
    EXPECT_EQ(refused.error_code(), StatusCode::UNAVAILABLE);
    EXPECT_THAT(refused.error_message(), HasSubstr(words));
    RepositoryModelUnloadRequest unload;
    unload.set_model_name("a");
    inference::RepositoryModelUnloadResponse unloaded;
    EXPECT_EQ(Call(*client.inference, &Inference::Stub::RepositoryModelUnload, unload, &unloaded).error_code(),
              StatusCode::UNAVAILABLE);
    EXPECT_EQ(FactorNow(client, "a"), 2);
  }
}

}  // namespace
}  // namespace stillwave::integration
