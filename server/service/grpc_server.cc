#include "server/service/grpc_server.h"

#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/base/log.h"
#include "server/service/health_service.h"
#include "server/service/inference_service.h"
#include "server/service/open_calls.h"
#include "server/service/server_credentials.h"
#include "server/service/stream_service.h"
#include "server/streaming/repository_model_source.h"

namespace stillwave::service {
namespace {

// gRPC's own messages, in our form.
void LogFromGrpc(gpr_log_func_args* args) {
  const base::LogLevel level = args->severity == GPR_LOG_SEVERITY_ERROR  ? base::LogLevel::kWarning
                               : args->severity == GPR_LOG_SEVERITY_INFO ? base::LogLevel::kInfo
                                                                         : base::LogLevel::kDebug;
  base::Log(level, "grpc", {{"detail", args->message}});
}

InferenceService::Options InferenceOptions(const GrpcServer::Options& options) {
  InferenceService::Options inference;
  inference.max_streams = options.max_streams;
  inference.max_request_bytes = options.max_request_bytes;
  inference.shared_memory = options.shared_memory;
  inference.workers = options.workers;
  return inference;
}

StreamService::Options StreamOptions(const GrpcServer::Options& options) {
  StreamService::Options stream;
  stream.max_streams = options.max_streams;
  stream.session.max_series = static_cast<int>(options.max_series_per_stream);
  return stream;
}

}  // namespace

class GrpcServer::Impl {
 public:
  Impl(const Options& options, repository::ModelRepository* repository, const Lifecycle* lifecycle,
       metrics::ServerMetrics* metrics)
      : inference_(InferenceOptions(options), repository, lifecycle, metrics, &calls_),
        streams_(StreamOptions(options), streaming::RepositoryModelSource(repository), lifecycle, metrics, &calls_),
        health_(lifecycle, &calls_) {}

  ~Impl() { Finish(absl::ZeroDuration()); }

  absl::Status Bind(const std::string& address) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(address, MakeServerCredentials(), &port);
    // By default gRPC lets two servers share a port, and half of the clients talk to the wrong one.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxCallsPerConnection);
    builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
    builder.SetMaxSendMessageSize(kMaxMessageBytes);
    builder.RegisterService(&inference_);
    builder.RegisterService(&streams_);
    builder.RegisterService(&health_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port <= 0) {
      return absl::UnavailableError(
          absl::StrCat("--grpc_address must be an address of this machine that is free; cannot listen on ", address,
                       " (taken by another process, not allowed, or not here)"));
    }
    address_ = absl::StrCat(absl::string_view(address).substr(0, address.rfind(':')), ":", port);
    return absl::OkStatus();
  }

  const std::string& address() const { return address_; }
  HealthService& health() { return health_; }

  void Finish(absl::Duration patience) {
    if (server_ == nullptr) return;
    health_.Stop();
    inference_.Drain();
    streams_.Drain();
    if (!calls_.AwaitNone(patience)) {
      base::Log(base::LogLevel::kWarning, "cancelling calls that did not finish",
                {{"seconds", absl::ToDoubleSeconds(patience)}});
    }
    server_->Shutdown(absl::ToChronoTime(absl::Now() + std::min(patience, kGoodbye)));
    server_->Wait();
  }

 private:
  // More calls on one connection wait at the client.
  static constexpr int kMaxCallsPerConnection = 4096;

  // For clients to take leave: a connection is closed when its client has heard that the server goes, or after this.
  static constexpr absl::Duration kGoodbye = absl::Milliseconds(500);

  OpenCalls calls_;
  InferenceService inference_;
  StreamService streams_;
  HealthService health_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;  // last: it calls the services until it is gone
};

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Create(const Options& options,
                                                               repository::ModelRepository* repository,
                                                               const Lifecycle* lifecycle,
                                                               metrics::ServerMetrics* metrics) {
  gpr_set_log_function(LogFromGrpc);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  auto impl = std::make_unique<Impl>(options, repository, lifecycle, metrics);
  if (absl::Status status = impl->Bind(options.address); !status.ok()) return status;
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(impl)));
}

GrpcServer::GrpcServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GrpcServer::~GrpcServer() = default;

const std::string& GrpcServer::address() const { return impl_->address(); }
void GrpcServer::UpdateHealth() { impl_->health().Update(); }
void GrpcServer::Finish(absl::Duration patience) { impl_->Finish(patience); }

}  // namespace stillwave::service
