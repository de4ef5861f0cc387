// ModelConfig, ModelStatistics and LogSettings through the real server.
#include "gmock/gmock.h"
#include "tests/integration/rpc.h"

namespace stillwave::integration {
namespace {

using grpc::StatusCode;
using inference::ModelInferRequest;
using inference::ModelInferResponse;
using testing::ElementsAre;
using testing::HasSubstr;

inference::ModelStatistics Statistics(Client& client) {
  inference::ModelStatisticsRequest request;
  request.set_name("seed_block");
  inference::ModelStatisticsResponse response;
  EXPECT_TRUE(Call(*client.inference, &Inference::Stub::ModelStatistics, request, &response).ok());
  EXPECT_EQ(response.model_stats_size(), 1);
  return response.model_stats_size() == 1 ? response.model_stats(0) : inference::ModelStatistics();
}

class TritonExtensions : public ServerTest {
 protected:
  static void SetUpTestSuite() { StartWith({ModelFlag("seed_block"), "--workers=2", "--max_batch_size=8"}); }
};

TEST_F(TritonExtensions, TheServerListsWhatIsTrue) {
  inference::ServerMetadataResponse response;
  ASSERT_TRUE(Call(*client_->inference, &Inference::Stub::ServerMetadata, {}, &response).ok());
  EXPECT_THAT(response.extensions(),
              testing::IsSupersetOf({"model_repository", "model_configuration", "statistics", "logging"}));
  EXPECT_THAT(response.extensions(), testing::Not(testing::Contains("system_shared_memory"))) << "it is off";
}

TEST_F(TritonExtensions, ModelConfigSaysWhatIsServed) {
  inference::ModelConfigRequest request;
  request.set_name("seed_block");
  inference::ModelConfigResponse response;
  ASSERT_TRUE(Call(*client_->inference, &Inference::Stub::ModelConfig, request, &response).ok());
  const inference::ModelConfig& config = response.config();
  EXPECT_EQ(config.name(), "seed_block");
  EXPECT_EQ(config.platform(), "onnxruntime_onnx");
  EXPECT_EQ(config.max_batch_size(), 8);
  EXPECT_THAT(config.input(0).dims(), ElementsAre(3, -1));
  EXPECT_EQ(config.instance_group(0).count(), 2);
  EXPECT_TRUE(config.has_dynamic_batching());
  request.set_name("nobody");
  EXPECT_EQ(Call(*client_->inference, &Inference::Stub::ModelConfig, request, &response).error_code(),
            StatusCode::NOT_FOUND);
}

TEST_F(TritonExtensions, StatisticsCountEveryRequestAndSample) {
  const inference::ModelStatistics before = Statistics(*client_);
  ModelInferResponse response;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(Call(*client_->inference, &Inference::Stub::ModelInfer, SeedBlockRequest(3, 16), &response).ok());
  }
  EXPECT_FALSE(Call(*client_->inference, &Inference::Stub::ModelInfer, SeedBlockRequest(9, 16), &response).ok());
  const inference::ModelStatistics after = Statistics(*client_);
  EXPECT_EQ(after.inference_count() - before.inference_count(), 15U);
  EXPECT_EQ(after.execution_count() - before.execution_count(), 5U) << "one after the other";
  const auto& stats = after.inference_stats();
  EXPECT_EQ(stats.success().count() - before.inference_stats().success().count(), 5U);
  EXPECT_EQ(stats.fail().count() - before.inference_stats().fail().count(), 1U);
  EXPECT_EQ(stats.queue().count() - before.inference_stats().queue().count(), 5U);
  EXPECT_EQ(stats.compute_infer().count() - before.inference_stats().compute_infer().count(), 5U);
  const uint64_t spent = stats.success().ns() - before.inference_stats().success().ns();
  const uint64_t parts = stats.queue().ns() + stats.compute_input().ns() + stats.compute_infer().ns() +
                         stats.compute_output().ns() - before.inference_stats().queue().ns() -
                         before.inference_stats().compute_input().ns() - before.inference_stats().compute_infer().ns() -
                         before.inference_stats().compute_output().ns();
  EXPECT_GT(stats.compute_infer().ns(), before.inference_stats().compute_infer().ns());
  EXPECT_LE(parts, spent) << "the parts of a request lie inside of it";
  EXPECT_GT(after.last_inference(), 0U);
  bool found = false;
  for (const auto& batch : after.batch_stats()) {
    if (batch.batch_size() != 3) continue;
    found = true;
    EXPECT_GE(batch.compute_infer().count(), 5U);
    EXPECT_GT(batch.compute_infer().ns(), 0U);
  }
  EXPECT_TRUE(found);
}

TEST_F(TritonExtensions, StatisticsAndMetricsAgree) {
  ModelInferResponse response;
  ASSERT_TRUE(Call(*client_->inference, &Inference::Stub::ModelInfer, SeedBlockRequest(2, 16), &response).ok());
  const inference::ModelStatistics stats = Statistics(*client_);
  const std::string metrics = HttpGet(server_->http_address(), "/metrics").body;
  EXPECT_EQ(Metric(metrics, "stillwave_samples_total{model=\"seed_block\""),
            static_cast<double>(stats.inference_count()));
  EXPECT_EQ(
      Metric(metrics, "stillwave_requests_total{code=\"OK\",method=\"ModelInfer\",model=\"seed_block\",version=\"1\"}"),
      static_cast<double>(stats.inference_stats().success().count()));
}

TEST_F(TritonExtensions, StatisticsOfAllModelsNeedNoName) {
  inference::ModelStatisticsResponse response;
  ASSERT_TRUE(Call(*client_->inference, &Inference::Stub::ModelStatistics, {}, &response).ok());
  ASSERT_EQ(response.model_stats_size(), 1);
  EXPECT_EQ(response.model_stats(0).name(), "seed_block");
}

TEST_F(TritonExtensions, LogSettingsChangeTheLogAndAreRefusedWhereTheyCannot) {
  inference::LogSettingsRequest request;
  (*request.mutable_settings())["log_format"].set_string_param("json");
  inference::LogSettingsResponse response;
  ASSERT_TRUE(Call(*client_->inference, &Inference::Stub::LogSettings, request, &response).ok());
  EXPECT_EQ(response.settings().at("log_format").string_param(), "json");
  // Announced in the form that held until then, and the next change in the new one.
  EXPECT_TRUE(server_->WaitForLog("WARN  a client changes the log settings"));
  (*request.mutable_settings())["log_format"].set_string_param("ISO8601");
  ASSERT_TRUE(Call(*client_->inference, &Inference::Stub::LogSettings, request, &response).ok());
  EXPECT_TRUE(server_->WaitForLog("\"message\":\"a client changes the log settings\""));
  (*request.mutable_settings())["log_file"].set_string_param("/tmp/log");
  const grpc::Status status = Call(*client_->inference, &Inference::Stub::LogSettings, request, &response);
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("log_file"));
}

TEST(RequestMemory, RequestsOverTheBudgetAreRefusedAndTheOthersAnswered) {
  // Eight requests of 8 MB fit, a ninth does not; the queue in samples would take all of them.
  auto started =
      test_support::ServerProcess::Start({ModelFlag("seed_block"), "--workers=1", "--max_request_megabytes=64"});
  ASSERT_TRUE(started.ok()) << started.status();
  Client client((*started)->grpc_address());
  const ModelInferRequest request = SeedBlockRequest(32, 20'000);
  constexpr int kRequests = 24;
  AsyncInfer calls(client);
  for (int i = 0; i < kRequests; ++i) calls.Start(request);
  int answered = 0;
  for (int i = 0; i < kRequests; ++i) {
    const AsyncInfer::Call& call = calls.Next();
    if (call.status.ok()) {
      ++answered;
      continue;
    }
    EXPECT_EQ(call.status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_THAT(call.status.error_message(), HasSubstr("--max_request_megabytes"));
    EXPECT_EQ(call.context.GetServerTrailingMetadata().count("grpc-retry-pushback-ms"), 1U);
  }
  EXPECT_GE(answered, 1);
  const double refused =
      Metric(HttpGet((*started)->http_address(), "/metrics").body,
             "stillwave_rejections_total{model=\"seed_block\",reason=\"request_memory\",version=\"1\"}");
  EXPECT_GT(refused, 0);
  EXPECT_EQ(refused, kRequests - answered);
  // All of it was given back.
  inference::ModelInferResponse response;
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(Call(*client.inference, &Inference::Stub::ModelInfer, request, &response).ok());
  }
}

}  // namespace
}  // namespace stillwave::integration
