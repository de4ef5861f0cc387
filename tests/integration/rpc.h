// What the integration tests share: stubs on one channel, requests from tensors and back, HTTP.
#pragma once

#include <grpcpp/grpcpp.h>
#include <httplib.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "inference/open_inference_grpc.grpc.pb.h"
#include "stillwave/v1/stream_inference.grpc.pb.h"
#include "tests/support/server_fixture.h"
#include "tests/support/test_models.h"

namespace stillwave::integration {

using Inference = inference::GRPCInferenceService;

// A server that hangs ends a test with DEADLINE_EXCEEDED instead of for ever.
inline void LimitTime(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(120));
}

// All services of a server, on a connection of its own.
struct Client {
  explicit Client(const std::string& address) : channel(MakeChannel(address)) {}

  static std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetMaxSendMessageSize(-1);
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  }

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<Inference::Stub> inference = Inference::NewStub(channel);
  std::unique_ptr<grpc::health::v1::Health::Stub> health = grpc::health::v1::Health::NewStub(channel);
  std::unique_ptr<v1::TimeSeriesService::Stub> streams = v1::TimeSeriesService::NewStub(channel);
};

// Calls a unary method of the inference service: Call(*client.inference, &Inference::Stub::ServerLive, request,
// &response).
template <typename Request, typename Response>
grpc::Status Call(Inference::Stub& stub,
                  grpc::Status (Inference::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                  const Request& request, Response* response) {
  grpc::ClientContext context;
  LimitTime(context);
  return (stub.*method)(&context, request, response);
}

inline std::string BytesOf(absl::Span<const float> values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

inline std::vector<float> FloatsOf(const std::string& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

// Adds an input with raw contents.
inline void AddRawInput(inference::ModelInferRequest& request, const std::string& name, const std::string& datatype,
                        absl::Span<const int64_t> shape, std::string bytes) {
  auto* input = request.add_inputs();
  input->set_name(name);
  input->set_datatype(datatype);
  for (const int64_t dim : shape) input->add_shape(dim);
  request.add_raw_input_contents(std::move(bytes));
}

// A smooth signal with something in every sample: {samples, channels, length}.
inline std::vector<float> Signal(int64_t samples, int64_t channels, int64_t length) {
  std::vector<float> values(static_cast<size_t>(samples * channels * length));
  uint32_t state = 12345;
  for (float& value : values) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<float>(state >> 8) / static_cast<float>(1U << 24) * 4.0F - 2.0F;
  }
  return values;
}

// For seed_block: input x {N, 3, T}.
inline inference::ModelInferRequest SeedBlockRequest(int64_t samples, int64_t length) {
  inference::ModelInferRequest request;
  request.set_model_name("seed_block");
  AddRawInput(request, "x", "FP32", {samples, 3, length}, BytesOf(Signal(samples, 3, length)));
  return request;
}

// ModelInfer calls in flight at the same time.
class AsyncInfer {
 public:
  struct Call {
    grpc::ClientContext context;
    inference::ModelInferResponse response;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<inference::ModelInferResponse>> reader;
  };

  explicit AsyncInfer(Client& client) : client_(client) {}

  Call& Start(const inference::ModelInferRequest& request) {
    calls_.push_back(std::make_unique<Call>());
    Call& call = *calls_.back();
    LimitTime(call.context);
    call.reader = client_.inference->AsyncModelInfer(&call.context, request, &queue_);
    call.reader->Finish(&call.response, &call.status, &call);
    return call;
  }

  // The next one to be answered. REQUIRES: one is in flight.
  Call& Next() {
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue_.Next(&tag, &ok));
    return *static_cast<Call*>(tag);
  }

 private:
  Client& client_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<Call>> calls_;
};

inline std::string ModelFlag(const std::string& name) {
  return absl::StrCat("--model=", test_support::SmallModel(name).model_file);
}

struct HttpAnswer {
  int status = 0;
  std::string body;
};

inline HttpAnswer HttpGet(const std::string& address, const std::string& path) {
  httplib::Client client(absl::StrCat("http://", address));
  const httplib::Result result = client.Get(path);
  return result ? HttpAnswer{result->status, result->body} : HttpAnswer{};
}

// The value of a metric's first sample whose line starts with `prefix`; -1 when there is none.
inline double Metric(const std::string& text, const std::string& prefix) {
  for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    if (text.compare(at, prefix.size(), prefix) == 0) {
      const size_t end = text.find('\n', at);
      return std::stod(text.substr(text.rfind(' ', end) + 1));
    }
    if (text.find('\n', at) == std::string::npos) break;
  }
  return -1;
}

// Until the server has accepted `count` requests of one sample for seed_block, counted from its start.
// REQUIRES: it has one worker and --max_batch_size=1, and the worker is busy as long as one of them waits.
inline void AwaitAccepted(const test_support::ServerProcess& server, double count) {
  for (double accepted = 0; accepted < count;) {
    const std::string text = HttpGet(server.http_address(), "/metrics").body;
    ASSERT_FALSE(text.empty());
    const std::string labels = "{model=\"seed_block\",version=\"1\"}";
    constexpr int kWithTheWorker = 1;
    accepted = Metric(text, "stillwave_queue_samples" + labels) + Metric(text, "stillwave_samples_total" + labels) +
               kWithTheWorker;
  }
}

// A test whose server serves one small model; the same server for all tests of the suite in one process.
class ServerTest : public ::testing::Test {
 protected:
  static void StartWith(std::vector<std::string> flags) {
    auto started = test_support::ServerProcess::Start(std::move(flags));
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = started->release();
    client_ = new Client(server_->grpc_address());
  }

  static void TearDownTestSuite() {
    delete client_;
    delete server_;
    client_ = nullptr;
    server_ = nullptr;
  }

  void SetUp() override { ASSERT_NE(server_, nullptr) << "the server did not start"; }

  static inline test_support::ServerProcess* server_ = nullptr;
  static inline Client* client_ = nullptr;
};

}  // namespace stillwave::integration
