// What the integration tests share: stubs on one channel, requests from tensors and back, HTTP.
#pragma once

#include <grpcpp/grpcpp.h>
#include <httplib.h>
#include <stdlib.h>

#include <atomic>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "inference/open_inference_grpc.grpc.pb.h"
#include "stillwave/v1/monitoring.grpc.pb.h"
#include "stillwave/v1/stream_inference.grpc.pb.h"
#include "tests/support/server_fixture.h"
#include "tests/support/test_models.h"

namespace stillwave::integration {

using Inference = inference::GRPCInferenceService;

// A server that hangs ends a test with DEADLINE_EXCEEDED instead of for ever.
inline void LimitTime(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(120));
  // A busy machine may let a first connection fail.
  context.set_wait_for_ready(true);
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
  std::unique_ptr<v1::MonitoringService::Stub> monitoring = v1::MonitoringService::NewStub(channel);
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

// ModelInfer calls in flight at the same time. A thread moves their bytes; without it they would wait for Next.
class AsyncInfer {
 public:
  struct Call {
    grpc::ClientContext context;
    inference::ModelInferResponse response;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<inference::ModelInferResponse>> reader;
    std::atomic<bool> answered{false};
  };

  explicit AsyncInfer(Client& client) : client_(client), mover_([this] { Move(); }) {}
  ~AsyncInfer() {
    for (const auto& call : calls_) call->context.TryCancel();
    queue_.Shutdown();
    mover_.join();
  }

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
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](std::deque<Call*>* answered) { return !answered->empty(); }, &answered_));
    Call& call = *answered_.front();
    answered_.pop_front();
    return call;
  }

 private:
  void Move() {
    void* tag = nullptr;
    for (bool ok = false; queue_.Next(&tag, &ok);) {
      auto* const call = static_cast<Call*>(tag);
      call->answered = true;
      absl::MutexLock lock(&mutex_);
      answered_.push_back(call);
    }
  }

  Client& client_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<Call>> calls_;
  absl::Mutex mutex_;
  std::deque<Call*> answered_;
  std::thread mover_;
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

// A folder that is there as long as the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = absl::StrCat(testing::TempDir(), "/stillwave_XXXXXX");
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  // With the folders above it.
  void Write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((path_ / file).parent_path());
    std::ofstream(path_ / file) << text;
  }
  // <folder>/<name>/<version>/model.onnx of a small model.
  void AddModel(const std::string& small_model, const std::string& name, const std::string& version) const {
    std::filesystem::create_directories(path_ / name / version);
    std::filesystem::copy_file(test_support::SmallModel(small_model).model_file, path_ / name / version / "model.onnx");
  }
  std::string RepositoryFlag() const { return absl::StrCat("--model_repository=", path_.string()); }

 private:
  std::filesystem::path path_;
};

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
