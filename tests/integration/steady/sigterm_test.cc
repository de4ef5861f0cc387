// SIGTERM at any moment while clients are busy.
#include <signal.h>

#include <chrono>
#include <random>

#include "gmock/gmock.h"
#include "tests/integration/steady/busy_clients.h"
#include "tests/integration/steady/server_figures.h"
#include "tests/integration/steady/test_length.h"

namespace stillwave::integration {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kStopping[] = "the server is stopping; try another one";
constexpr int64_t kWindow = 64;

std::chrono::system_clock::time_point Soon() { return std::chrono::system_clock::now() + std::chrono::seconds(120); }

std::shared_ptr<grpc::Channel> WithoutRetries(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

// For calls that are to be open, or on their way, when the server stops: one that waited for a connection would wait
// for a server that does not come back.
std::shared_ptr<grpc::Channel> Connected(const std::string& address) {
  const std::shared_ptr<grpc::Channel> channel = WithoutRetries(address);
  EXPECT_TRUE(channel->WaitForConnected(Soon()));
  return channel;
}

// A call of ModelStreamInfer that sends for as long as the server takes.
class EndlessRequests {
 public:
  explicit EndlessRequests(const std::string& address, std::string answer)
      : channel_(Connected(address)), answer_(std::move(answer)), thread_([this] { Run(); }) {}

  // REQUIRES: the server ends the call.
  void ExpectAllThatWasDue() {
    thread_.join();
    EXPECT_EQ(status_.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(status_.error_message(), kStopping);
    EXPECT_EQ(fault_, "");
  }

 private:
  void Run() {
    const auto stub = Inference::NewStub(channel_);
    grpc::ClientContext context;
    context.set_deadline(Soon());
    const auto stream = stub->ModelStreamInfer(&context);
    std::thread writer([&] {
      inference::ModelInferRequest request = SeedBlockRequest(1, kWindow);
      for (int i = 0; request.set_id(absl::StrCat(i)), stream->Write(request); ++i) {
      }
    });
    inference::ModelStreamInferResponse response;
    bool refused = false;
    for (int i = 0; stream->Read(&response); ++i) {
      const auto& infer = response.infer_response();
      if (infer.id() != absl::StrCat(i)) fault_ = absl::StrCat("response ", i, " is that of request ", infer.id());
      if (response.error_message() == kStopping) {
        refused = true;
      } else if (refused || !response.error_message().empty()) {
        fault_ = absl::StrCat("response ", i, " says '", response.error_message(), "'");
      } else if (infer.raw_output_contents_size() != 1 || infer.raw_output_contents(0) != answer_) {
        fault_ = absl::StrCat("response ", i, " is wrong");
      }
    }
    status_ = stream->Finish();
    writer.join();
  }

  const std::shared_ptr<grpc::Channel> channel_;
  const std::string answer_;
  grpc::Status status_;
  std::string fault_;
  std::thread thread_;
};

// A call of StreamWindows with a series that does not end.
class EndlessSeries {
 public:
  explicit EndlessSeries(const std::string& address, std::string answer)
      : channel_(Connected(address)), answer_(std::move(answer)), thread_([this] { Run(); }) {}

  // REQUIRES: the server ends the call.
  void ExpectAllThatWasDue() {
    thread_.join();
    EXPECT_EQ(status_.error_code(), grpc::StatusCode::UNAVAILABLE) << status_.error_message();
    EXPECT_EQ(fault_, "");
    EXPECT_TRUE(draining_ || responses_ == 0)
        << "ended without Draining after " << responses_ << " responses: " << status_.error_message();
  }

 private:
  void Run() {
    const auto stub = v1::TimeSeriesService::NewStub(channel_);
    grpc::ClientContext context;
    context.set_deadline(Soon());
    const auto stream = stub->StreamWindows(&context);
    std::thread writer([&] {
      v1::StreamWindowsRequest request;
      request.mutable_open()->set_series_id("s");
      request.mutable_open()->set_model_name("seed_block");
      request.mutable_open()->set_window_length(kWindow);
      request.mutable_open()->set_layout(v1::SAMPLE_LAYOUT_CHANNELS_FIRST);
      if (!stream->Write(request)) return;
      request.mutable_chunk()->set_series_id("s");
      request.mutable_chunk()->set_fp32_samples(BytesOf(Signal(1, 3, kWindow)));
      while (stream->Write(request)) {
      }
    });
    v1::StreamWindowsResponse response;
    for (int64_t window = 0; stream->Read(&response); ++responses_) {
      if (draining_) fault_ = "something follows Draining";
      draining_ = response.has_draining();
      if (!response.has_window()) continue;
      if (response.window().window_index() != window++) fault_ = "a window is missing";
      if (response.window().outputs(0).fp32_values() != answer_) fault_ = "a window is wrong";
    }
    status_ = stream->Finish();
    writer.join();
  }

  const std::shared_ptr<grpc::Channel> channel_;
  const std::string answer_;
  grpc::Status status_;
  std::string fault_;
  int64_t responses_ = 0;
  bool draining_ = false;
  std::thread thread_;
};

// One server's life and end, `moment` answers after its clients began.
void StopUnderLoad(int64_t moment, int drain_delay_seconds) {
  const auto server =
      MustServe({ModelFlag("seed_block"), "--workers=2", absl::StrCat("--drain_delay=", drain_delay_seconds)});
  ASSERT_NE(server, nullptr);
  const std::string& address = server->grpc_address();
  std::string small_answer;
  std::string answer;
  const inference::ModelInferRequest request = SeedBlockRequest(4, 500);
  {
    Client client(address);
    small_answer = AnswerTo(client, SeedBlockRequest(1, kWindow));
    answer = AnswerTo(client, request);
  }
  BusyClients clients(/*clients=*/6, [&] { return WithoutRetries(address); }, request, answer, /*until_refused=*/true);
  EndlessRequests requests(address, small_answer);
  EndlessSeries series(address, small_answer);
  clients.AwaitAnswers(moment);
  server->Signal(SIGTERM);
  clients.Join();
  requests.ExpectAllThatWasDue();
  series.ExpectAllThatWasDue();
  EXPECT_EQ(server->Wait(), 0) << server->Log();
  EXPECT_GE(clients.answered(), moment);
  for (const auto& [refusal, count] : clients.refusals()) {
    EXPECT_THAT(refusal, StartsWith("14 ")) << count << " times";  // UNAVAILABLE
  }
}

TEST(Sigterm, UnderLoadEveryAcceptedRequestIsAnsweredAndNewOnesAreUnavailable) {
  std::mt19937 random(20'240'601);
  const int rounds = ShortOrLong(6, 60);
  for (int i = 0; i < rounds; ++i) {
    const int64_t moment = std::uniform_int_distribution<int64_t>(0, 400)(random);
    SCOPED_TRACE(absl::StrCat("round ", i, ", ", moment, " answers before the signal"));
    StopUnderLoad(moment, /*drain_delay_seconds=*/i % 6 == 5 ? 1 : 0);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace stillwave::integration
