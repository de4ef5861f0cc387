#include "client/stillwave_client.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/drift_response.h"
#include "client/exit_code.h"
#include "client/grpc_status.h"
#include "client/infer_response.h"
#include "inference/open_inference_grpc.grpc.pb.h"
#include "server/base/status_macros.h"
#include "stillwave/v1/monitoring.grpc.pb.h"

namespace stillwave::client {
namespace {

// An answer can be larger than gRPC's usual 4 MiB; the server's own limit is 64 MiB a message.
constexpr int kLongestReconnectMillis = 2000;
constexpr int kMaxAnswerBytes = 256 << 20;

using Service = inference::GRPCInferenceService;
using Monitoring = v1::MonitoringService;

std::chrono::system_clock::time_point DeadlineAfter(absl::Duration timeout) {
  return absl::ToChronoTime(absl::Now() + timeout);
}

// Returns the state once the channel is connected or has failed to, or when the time is over.
grpc_connectivity_state WaitUntilDecided(grpc::Channel& channel, std::chrono::system_clock::time_point deadline) {
  grpc_connectivity_state state = channel.GetState(/*try_to_connect=*/true);
  while (state == GRPC_CHANNEL_IDLE || state == GRPC_CHANNEL_CONNECTING) {
    if (!channel.WaitForStateChange(state, deadline)) break;
    state = channel.GetState(/*try_to_connect=*/true);
  }
  return state;
}

// "failed to connect to all addresses; last error: …: Failed to connect to remote host: Connection refused" says it
// in its last two words.
std::string ShortReason(absl::string_view message) {
  constexpr absl::string_view kPreamble = "Failed to connect to remote host: ";
  const size_t at = message.rfind(kPreamble);
  return std::string(at == absl::string_view::npos ? message : message.substr(at + kPreamble.size()));
}

TensorInfo FromMetadata(const inference::ModelMetadataResponse::TensorMetadata& metadata) {
  return {metadata.name(), metadata.datatype(), {metadata.shape().begin(), metadata.shape().end()}};
}

inference::ModelInferRequest ToRequest(const InferCall& call) {
  inference::ModelInferRequest request;
  request.set_model_name(call.model_name);
  request.set_model_version(call.model_version);
  auto& input = *request.add_inputs();
  input.set_name(call.input_name);
  input.set_datatype("FP32");
  for (const int64_t dim : call.shape) input.add_shape(dim);
  for (const std::string& output : call.outputs) request.add_outputs()->set_name(output);
  request.add_raw_input_contents(call.values.data(), call.values.size() * sizeof(float));
  return request;
}

}  // namespace

struct StillwaveClient::Impl {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<Service::Stub> stub;
  std::unique_ptr<Monitoring::Stub> monitoring;
  absl::Duration timeout;

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Service::Stub::*rpc)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request) {
    return CallOf<Response>(*stub, rpc, request);
  }

  template <typename Response, typename Stub, typename Request>
  absl::StatusOr<Response> CallOf(Stub& service,
                                  grpc::Status (Stub::*rpc)(grpc::ClientContext*, const Request&, Response*),
                                  const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(DeadlineAfter(timeout));
    Response response;
    RETURN_IF_ERROR(FromGrpcStatus((service.*rpc)(&context, request, &response)));
    return response;
  }
};

absl::StatusOr<std::unique_ptr<StillwaveClient>> StillwaveClient::Connect(const std::string& address,
                                                                          absl::Duration timeout) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxAnswerBytes);
  arguments.SetMaxSendMessageSize(-1);
  // A proxy from the environment has no business between a command-line tool and the address it was told.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // A server that restarts is found again in seconds, not in the minutes that the channel would come to wait.
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestReconnectMillis);
  auto impl = std::make_unique<Impl>();
  impl->channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  impl->stub = Service::NewStub(impl->channel);
  impl->monitoring = Monitoring::NewStub(impl->channel);
  impl->timeout = timeout;
  const grpc_connectivity_state state = WaitUntilDecided(*impl->channel, DeadlineAfter(timeout));
  if (state != GRPC_CHANNEL_READY) {
    std::string reason = absl::StrCat("no connection within ", absl::FormatDuration(timeout));
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE) {
      // The channel keeps its reason to itself; a call tells it.
      const inference::ServerLiveRequest probe;
      reason = ShortReason(impl->Call(&Service::Stub::ServerLive, probe).status().message());
    }
    return MakeError(ExitCode::kUnreachable,
                     absl::StrCat("cannot reach ", address, ": ", reason, "; is the server running? try: scripts/run"));
  }
  return std::unique_ptr<StillwaveClient>(new StillwaveClient(std::move(impl)));
}

StillwaveClient::StillwaveClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StillwaveClient::~StillwaveClient() = default;

absl::StatusOr<bool> StillwaveClient::ServerLive() {
  inference::ServerLiveRequest request;
  ASSIGN_OR_RETURN(const inference::ServerLiveResponse response, impl_->Call(&Service::Stub::ServerLive, request));
  return response.live();
}

absl::StatusOr<bool> StillwaveClient::ServerReady() {
  inference::ServerReadyRequest request;
  ASSIGN_OR_RETURN(const inference::ServerReadyResponse response, impl_->Call(&Service::Stub::ServerReady, request));
  return response.ready();
}

absl::StatusOr<ServerInfo> StillwaveClient::GetServerInfo() {
  inference::ServerMetadataRequest request;
  ASSIGN_OR_RETURN(const inference::ServerMetadataResponse response,
                   impl_->Call(&Service::Stub::ServerMetadata, request));
  return ServerInfo{response.name(), response.version(), {response.extensions().begin(), response.extensions().end()}};
}

absl::StatusOr<bool> StillwaveClient::ModelReady(const std::string& name, const std::string& version) {
  inference::ModelReadyRequest request;
  request.set_name(name);
  request.set_version(version);
  ASSIGN_OR_RETURN(const inference::ModelReadyResponse response, impl_->Call(&Service::Stub::ModelReady, request));
  return response.ready();
}

absl::StatusOr<ModelInfo> StillwaveClient::GetModelInfo(const std::string& name, const std::string& version) {
  inference::ModelMetadataRequest request;
  request.set_name(name);
  request.set_version(version);
  ASSIGN_OR_RETURN(const inference::ModelMetadataResponse response,
                   impl_->Call(&Service::Stub::ModelMetadata, request));
  ModelInfo info{.name = response.name(), .platform = response.platform()};
  info.versions.assign(response.versions().begin(), response.versions().end());
  for (const auto& input : response.inputs()) info.inputs.push_back(FromMetadata(input));
  for (const auto& output : response.outputs()) info.outputs.push_back(FromMetadata(output));
  return info;
}

absl::StatusOr<std::vector<IndexEntry>> StillwaveClient::ListModels() {
  inference::RepositoryIndexRequest request;
  ASSIGN_OR_RETURN(const inference::RepositoryIndexResponse response,
                   impl_->Call(&Service::Stub::RepositoryIndex, request));
  std::vector<IndexEntry> entries;
  for (const auto& model : response.models()) {
    entries.push_back({model.name(), model.version(), model.state(), model.reason()});
  }
  return entries;
}

absl::StatusOr<InferAnswer> StillwaveClient::Infer(const InferCall& call) {
  const size_t bytes = call.values.size() * sizeof(float);
  if (bytes > static_cast<size_t>(std::numeric_limits<int>::max())) {
    return UsageError(absl::StrCat("one request must be under 2 GiB; was ", bytes, " bytes: use --batch"));
  }
  ASSIGN_OR_RETURN(const inference::ModelInferResponse response,
                   impl_->Call(&Service::Stub::ModelInfer, ToRequest(call)));
  return DecodeInferResponse(response, /*rows=*/call.shape.empty() ? 1 : call.shape[0]);
}

absl::StatusOr<DriftInfo> StillwaveClient::GetDrift(const std::string& model, const std::string& version) {
  v1::GetDriftRequest request;
  request.set_model_name(model);
  request.set_model_version(version);
  ASSIGN_OR_RETURN(const v1::DriftReport report,
                   impl_->CallOf<v1::DriftReport>(*impl_->monitoring, &Monitoring::Stub::GetDrift, request));
  return FromDriftReport(report);
}

absl::StatusOr<DriftReset> StillwaveClient::ResetDrift(const std::string& model, const std::string& version) {
  v1::ResetDriftRequest request;
  request.set_model_name(model);
  request.set_model_version(version);
  ASSIGN_OR_RETURN(const v1::ResetDriftResponse response,
                   impl_->CallOf<v1::ResetDriftResponse>(*impl_->monitoring, &Monitoring::Stub::ResetDrift, request));
  return DriftReset{response.model_name(), response.model_version(), response.forgotten_samples()};
}

absl::Status StillwaveClient::WatchDrift(const std::string& model, const std::string& version, absl::Duration interval,
                                         absl::FunctionRef<bool(const DriftInfo&)> show) {
  v1::WatchDriftRequest request;
  request.set_model_name(model);
  request.set_model_version(version);
  request.set_interval_seconds(absl::ToDoubleSeconds(interval));
  grpc::ClientContext context;
  const auto reader = impl_->monitoring->WatchDrift(&context, request);
  for (v1::DriftReport report; reader->Read(&report);) {
    if (show(FromDriftReport(report))) continue;
    context.TryCancel();
    (void)reader->Finish();  // CANCELLED, as was asked for
    return absl::OkStatus();
  }
  return FromGrpcStatus(reader->Finish());
}

std::unique_ptr<WindowStream> StillwaveClient::OpenStream(const SeriesOptions& options) {
  return WindowStream::Open(impl_->channel, options);
}

}  // namespace stillwave::client
