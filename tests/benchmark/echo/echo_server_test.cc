#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "inference/open_inference_grpc.grpc.pb.h"
#include "tests/benchmark/echo/echo_command_line.h"
#include "tests/support/status_matchers.h"

namespace stillwave::benchmark {
namespace {

using test_support::StatusIs;
using testing::ElementsAre;
using testing::HasSubstr;

struct Style {
  const char* name;
  EchoOptions options;
};

class Echo : public testing::TestWithParam<Style> {};

inference::ModelInferRequest RequestOf(int64_t samples) {
  inference::ModelInferRequest request;
  request.set_id("7");
  auto& input = *request.add_inputs();
  input.set_name("x");
  input.add_shape(samples);
  return request;
}

TEST_P(Echo, AnswersWithAsManyBytesAsTheModelWould) {
  const EchoModel model("m", {"x", {1, -1}}, {"y", {2, 3}});
  const auto server = EchoServer::Start(GetParam().options, &model);
  ASSERT_TRUE(server.ok()) << server.status();
  const auto channel = grpc::CreateChannel((*server)->address(), grpc::InsecureChannelCredentials());
  const auto stub = inference::GRPCInferenceService::NewStub(channel);
  grpc::ClientContext context;
  inference::ModelInferResponse response;
  ASSERT_TRUE(stub->ModelInfer(&context, RequestOf(4), &response).ok());
  EXPECT_EQ(response.id(), "7");
  EXPECT_THAT(response.outputs(0).shape(), ElementsAre(4, 2, 3));
  EXPECT_EQ(response.raw_output_contents(0).size(), 4 * 6 * sizeof(float));

  grpc::ClientContext metadata_context;
  inference::ModelMetadataResponse metadata;
  ASSERT_TRUE(stub->ModelMetadata(&metadata_context, {}, &metadata).ok());
  EXPECT_THAT(metadata.inputs(0).shape(), ElementsAre(-1, 1, -1));
}

// More calls than a queue waits for, from several threads, and a server that leaves while they go on.
TEST_P(Echo, AnswersManyAtOnceAndLeavesUnderLoad) {
  const EchoModel model("m", {"x", {1, -1}}, {"y", {3}});
  auto server = EchoServer::Start(GetParam().options, &model);
  ASSERT_TRUE(server.ok()) << server.status();
  const auto channel = grpc::CreateChannel((*server)->address(), grpc::InsecureChannelCredentials());
  std::vector<std::thread> clients;
  std::atomic<int> answered{0};
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      const auto stub = inference::GRPCInferenceService::NewStub(channel);
      while (true) {
        grpc::ClientContext context;
        inference::ModelInferResponse response;
        if (!stub->ModelInfer(&context, RequestOf(1), &response).ok()) return;
        ++answered;
      }
    });
  }
  while (answered < 1000) std::this_thread::yield();
  server->reset();
  for (std::thread& client : clients) client.join();
}

INSTANTIATE_TEST_SUITE_P(
    Styles, Echo,
    testing::Values(Style{"callback", {.style = EchoStyle::kCallback}}, Style{"async", {.style = EchoStyle::kAsync}},
                    Style{"callback_worker",
                          {.style = EchoStyle::kCallback, .work = absl::Microseconds(10), .workers = 2}},
                    Style{"async_worker", {.style = EchoStyle::kAsync, .work = absl::Microseconds(10), .workers = 2}}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(EchoCommandLine, ReadsEveryFlag) {
  const auto line = ParseEchoCommandLine({"--style=async", "--threads=3", "--model=m", "--input=ecg:1,-1",
                                          "--output=logits:3", "--work=60", "--workers=2", "--address=127.0.0.1:9"});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->options.style, EchoStyle::kAsync);
  EXPECT_EQ(line->options.threads, 3);
  EXPECT_EQ(line->model, "m");
  EXPECT_THAT(line->input.sample_shape, ElementsAre(1, -1));
  EXPECT_EQ(line->output.name, "logits");
  EXPECT_EQ(line->options.work, absl::Microseconds(60));
  EXPECT_EQ(line->options.workers, 2);
  EXPECT_EQ(line->options.address, "127.0.0.1:9");
}

TEST(EchoCommandLine, RefusesWrongValuesByName) {
  for (const auto& [argument, message] : std::vector<std::pair<const char*, const char*>>{
           {"--style=sync", "--style must be one of callback, async; was \"sync\""},
           {"--threads=0", "--threads must be between 1 and 64; was 0"},
           {"--workers=-1", "--workers must be between 0 and 64"},
           {"--work=-1", "--work must be between 0 and 1000000"},
           {"--input=1,2", "--input must be NAME:DIM"},
           {"--output=y:-1", "--output must be NAME:DIM"},
           {"--output=y:1024,1025", "at most 1048576 values"},
           {"--nope", "nope"}}) {
    EXPECT_THAT(ParseEchoCommandLine({argument}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message)))
        << argument;
  }
}

}  // namespace
}  // namespace stillwave::benchmark
