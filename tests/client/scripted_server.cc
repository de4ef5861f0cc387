#include "tests/client/scripted_server.h"

#include <google/protobuf/text_format.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "inference/open_inference_grpc.grpc.pb.h"
#include "server/base/check.h"
#include "stillwave/v1/stream_inference.grpc.pb.h"

namespace stillwave::client {
namespace {

constexpr int64_t kWindow = 4;

std::string Bytes(std::vector<float> values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

class InferenceService final : public inference::GRPCInferenceService::Service {
 public:
  explicit InferenceService(const Script& script) : script_(script) {}

  grpc::Status ServerLive(grpc::ServerContext*, const inference::ServerLiveRequest*,
                          inference::ServerLiveResponse* response) override {
    response->set_live(true);
    return grpc::Status::OK;
  }
  grpc::Status ServerReady(grpc::ServerContext*, const inference::ServerReadyRequest*,
                           inference::ServerReadyResponse* response) override {
    response->set_ready(script_.ready);
    return grpc::Status::OK;
  }
  grpc::Status ServerMetadata(grpc::ServerContext*, const inference::ServerMetadataRequest*,
                              inference::ServerMetadataResponse* response) override {
    response->set_name("scripted");
    response->set_version("9.9");
    return grpc::Status::OK;
  }
  grpc::Status ModelReady(grpc::ServerContext*, const inference::ModelReadyRequest* request,
                          inference::ModelReadyResponse* response) override {
    if (!Has(request->name())) return Unknown(request->name());
    response->set_ready(request->name() == "m");
    return grpc::Status::OK;
  }
  grpc::Status ModelMetadata(grpc::ServerContext*, const inference::ModelMetadataRequest* request,
                             inference::ModelMetadataResponse* response) override {
    if (!Has(request->name())) return Unknown(request->name());
    if (request->name() != "m") return {grpc::StatusCode::UNAVAILABLE, "not ready: node 3: bad"};
    const bool parsed = google::protobuf::TextFormat::ParseFromString(
        R"(name: "m" versions: "1" platform: "onnxruntime_onnx"
           inputs { name: "x" datatype: "FP32" shape: [-1, 1, 4] }
           outputs { name: "y" datatype: "FP32" shape: [-1, 2] })",
        response);
    SW_CHECK(parsed);
    return grpc::Status::OK;
  }
  grpc::Status RepositoryIndex(grpc::ServerContext*, const inference::RepositoryIndexRequest*,
                               inference::RepositoryIndexResponse* response) override {
    if (!script_.lists_models) return {grpc::StatusCode::UNIMPLEMENTED, "not built"};
    Add("m", "READY", "", response);
    if (!script_.refused_model.empty()) Add(script_.refused_model, "UNAVAILABLE", "node 3: bad", response);
    return grpc::Status::OK;
  }
  grpc::Status ModelInfer(grpc::ServerContext*, const inference::ModelInferRequest* request,
                          inference::ModelInferResponse* response) override {
    if (!script_.infer_error.empty()) return {grpc::StatusCode::INVALID_ARGUMENT, script_.infer_error};
    const int64_t rows = request->inputs(0).shape(0);
    const std::string& raw = request->raw_input_contents(0);
    SW_CHECK(raw.size() == static_cast<size_t>(rows * kWindow) * sizeof(float));
    std::vector<float> samples(static_cast<size_t>(rows * kWindow));
    std::memcpy(samples.data(), raw.data(), raw.size());
    std::vector<float> outputs;
    for (int64_t row = 0; row < rows; ++row) {
      outputs.push_back(samples[static_cast<size_t>(row * kWindow)]);
      outputs.push_back(samples[static_cast<size_t>((row + 1) * kWindow - 1)]);
    }
    response->set_model_name(request->model_name());
    response->set_model_version("1");
    auto& output = *response->add_outputs();
    output.set_name("y");
    output.set_datatype("FP32");
    output.add_shape(rows);
    output.add_shape(2);
    if (script_.short_output) outputs.pop_back();
    if (script_.typed_contents) {
      for (const float value : outputs) output.mutable_contents()->add_fp32_contents(value);
    } else {
      response->add_raw_output_contents(Bytes(outputs));
    }
    return grpc::Status::OK;
  }

 private:
  bool Has(const std::string& name) const { return name == "m" || name == script_.refused_model; }
  static grpc::Status Unknown(const std::string& name) {
    return {grpc::StatusCode::NOT_FOUND, "unknown model '" + name + "'"};
  }
  static void Add(const std::string& name, const std::string& state, const std::string& reason,
                  inference::RepositoryIndexResponse* response) {
    auto& model = *response->add_models();
    model.set_name(name);
    model.set_version("1");
    model.set_state(state);
    model.set_reason(reason);
  }

  const Script& script_;
};

// One series of one channel, kept whole: windows are cut as its samples come.
class StreamService final : public v1::TimeSeriesService::Service {
 public:
  explicit StreamService(const Script& script) : script_(script) {}

  using Stream = grpc::ServerReaderWriter<v1::StreamWindowsResponse, v1::StreamWindowsRequest>;

  grpc::Status StreamWindows(grpc::ServerContext*, Stream* stream) override {
    v1::StreamWindowsRequest request;
    if (!stream->Read(&request) || !request.has_open()) return {grpc::StatusCode::INVALID_ARGUMENT, "no open"};
    const v1::OpenSeries open = request.open();
    const int64_t hop = open.hop() > 0 ? open.hop() : kWindow;
    v1::StreamWindowsResponse response;
    response.mutable_opened()->set_model_name(open.model_name());
    response.mutable_opened()->set_model_version("1");
    response.mutable_opened()->set_window_length(kWindow);
    response.mutable_opened()->set_hop(hop);
    response.mutable_opened()->set_channels(1);
    stream->Write(response);
    for (const std::string& text : script_.after_open) {
      SW_CHECK(google::protobuf::TextFormat::ParseFromString(text, &response));
      stream->Write(response);
    }
    if (script_.end_after_open) return {grpc::StatusCode::UNAVAILABLE, "draining"};
    const bool breaks = calls_++ < script_.broken_calls;
    const int64_t first_window = script_.counts_on ? open.first_window_index() : 0;

    std::vector<float> samples;
    int64_t windows = 0;
    while (stream->Read(&request) && request.has_chunk()) {
      const std::string& bytes = request.chunk().fp32_samples();
      const size_t before = samples.size();
      samples.resize(before + bytes.size() / sizeof(float));
      std::memcpy(samples.data() + before, bytes.data(), bytes.size());
      for (; windows * hop + kWindow <= static_cast<int64_t>(samples.size()); ++windows) {
        if (breaks && windows == script_.windows_before_break) return {grpc::StatusCode::UNAVAILABLE, "restarting"};
        stream->Write(Window(first_window + windows, windows * hop, open.first_sample_index(), samples));
      }
    }
    if (!request.has_close()) return grpc::Status::OK;
    response.mutable_closed()->set_windows(windows);
    response.mutable_closed()->set_samples(static_cast<int64_t>(samples.size()));
    response.mutable_closed()->set_partial_samples(windows > 0 ? static_cast<int64_t>(samples.size()) -
                                                                     ((windows - 1) * hop + kWindow)
                                                               : static_cast<int64_t>(samples.size()));
    stream->Write(response);
    return grpc::Status::OK;
  }

 private:
  v1::StreamWindowsResponse Window(int64_t index, int64_t begin, int64_t offset,
                                   const std::vector<float>& samples) const {
    v1::StreamWindowsResponse response;
    v1::WindowResult& window = *response.mutable_window();
    window.set_window_index(index);
    window.set_first_sample_index(offset + begin);
    window.set_last_sample_index(offset + begin + kWindow - 1);
    v1::OutputTensor& output = *window.add_outputs();
    output.set_name("y");
    output.add_shape(2);
    std::vector<float> values = {samples[static_cast<size_t>(begin)],
                                 samples[static_cast<size_t>(begin + kWindow - 1)]};
    if (script_.short_output) values.pop_back();
    output.set_fp32_values(Bytes(values));
    return response;
  }

  const Script& script_;
  std::atomic<int> calls_{0};
};

}  // namespace

struct ScriptedServer::Impl {
  explicit Impl(Script script_in) : script(std::move(script_in)) {}

  const Script script;
  InferenceService inference{script};
  StreamService streams{script};
  int port = 0;
  std::unique_ptr<grpc::Server> server;
};

ScriptedServer::ScriptedServer(Script script) : impl_(std::make_unique<Impl>(std::move(script))) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &impl_->port);
  builder.RegisterService(&impl_->inference);
  builder.RegisterService(&impl_->streams);
  impl_->server = builder.BuildAndStart();
  SW_CHECK(impl_->server != nullptr);
}

ScriptedServer::~ScriptedServer() { impl_->server->Shutdown(std::chrono::system_clock::now()); }

std::string ScriptedServer::address() const { return "127.0.0.1:" + std::to_string(impl_->port); }

}  // namespace stillwave::client
