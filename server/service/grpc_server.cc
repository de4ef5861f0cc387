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
#include "server/base/descriptor_limit.h"
#include "server/base/host_port.h"
#include "server/base/log.h"
#include "server/base/status_macros.h"
#include "server/base/tcp_listener.h"
#include "server/service/connection_options.h"
#include "server/service/health_service.h"
#include "server/service/inference_service.h"
#include "server/service/monitoring_service.h"
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
      : inference_(InferenceOptions(options), repository, lifecycle, metrics, &open_streams_, &calls_),
        streams_(StreamOptions(options), streaming::RepositoryModelSource(repository), lifecycle, metrics,
                 &open_streams_),
        monitoring_(repository, &calls_),
        health_(lifecycle, &calls_) {}

  ~Impl() { Finish(absl::ZeroDuration()); }

  absl::Status Bind(const Options& options) {
    ASSIGN_OR_RETURN(const base::HostPort address, base::ParseHostPort("--grpc_address", options.address));
    absl::StatusOr<std::unique_ptr<base::TcpListener>> listener = base::TcpListener::Create(address.host, address.port);
    if (!listener.ok()) {
      return absl::UnavailableError(
          absl::StrCat("--grpc_address must be an address of this machine that is free; cannot listen on ",
                       options.address, ": ", listener.status().message()));
    }
    listener_ = *std::move(listener);
    grpc::ServerBuilder builder;
    acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, MakeServerCredentials());
    SetConnectionOptions(options.connections, builder);
    builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
    builder.SetMaxSendMessageSize(kMaxMessageBytes);
    builder.RegisterService(&inference_);
    builder.RegisterService(&streams_);
    builder.RegisterService(&monitoring_);
    builder.RegisterService(&health_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) return absl::InternalError("the gRPC server did not start; its log says why");
    address_ =
        absl::StrCat(absl::string_view(options.address).substr(0, options.address.rfind(':')), ":", listener_->port());
    listener_->Start(/*take=*/[this](int descriptor) { Connect(descriptor); }, kFreeDescriptors);
    return absl::OkStatus();
  }

  const std::string& address() const { return address_; }
  HealthService& health() { return health_; }

  void EndStreams(absl::Duration patience) {
    if (server_ == nullptr) return;
    listener_->Stop();
    inference_.Drain();
    streams_.Drain();
    open_streams_.AwaitNone(patience);
  }

  void Finish(absl::Duration patience) {
    if (server_ == nullptr) return;
    EndStreams(absl::ZeroDuration());
    health_.Stop();
    monitoring_.Stop();
    const absl::Time end = absl::Now() + patience;
    inference_.late_calls().AwaitQuiet(inference_.infer_calls(), kQuiet, std::min(patience, kMaxQuietWait));
    // Clients are told that this server goes, and connect elsewhere, while calls that were accepted go on.
    grpc_completion_queue* const goaway = grpc_completion_queue_create_for_next(nullptr);
    grpc_server_shutdown_and_notify(server_->c_server(), goaway, nullptr);
    inference_.late_calls().Release();
    bool finished = true;
    for (OpenCalls* const calls : {&inference_.infer_calls(), &open_streams_, &calls_}) {
      finished = finished && calls->AwaitNone(end - absl::Now());
    }
    if (!finished) {
      base::Log(base::LogLevel::kWarning, "cancelling calls that did not finish",
                {{"seconds", absl::ToDoubleSeconds(patience)}});
    }
    server_->Shutdown(absl::ToChronoTime(absl::Now() + std::min(patience, kGoodbye)));
    server_->Wait();
    grpc_completion_queue_next(goaway, gpr_inf_future(GPR_CLOCK_REALTIME), nullptr);
    grpc_completion_queue_shutdown(goaway);
    grpc_completion_queue_destroy(goaway);
  }

 private:
  // For clients to take leave: a connection is closed when its client has heard that the server goes, or after this.
  static constexpr absl::Duration kGoodbye = absl::Milliseconds(500);

  // No call for so long: clients wait for their answers. Those that call whatever happens are not waited for, nor those
  // whose calls take long.
  static constexpr absl::Duration kQuiet = absl::Milliseconds(20);
  static constexpr absl::Duration kMaxQuietWait = absl::Seconds(1);

  // For models that are loaded, for probes and for gRPC itself.
  static constexpr int64_t kFreeDescriptors = 64;

  void Connect(int descriptor) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = descriptor;
    acceptor_->HandleNewConnection(&connection);
  }

  OpenCalls open_streams_;
  OpenCalls calls_;
  InferenceService inference_;
  StreamService streams_;
  MonitoringService monitoring_;
  HealthService health_;
  std::string address_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::unique_ptr<grpc::Server> server_;  // it calls the services until it is gone
  std::unique_ptr<base::TcpListener> listener_;
};

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Create(const Options& options,
                                                               repository::ModelRepository* repository,
                                                               const Lifecycle* lifecycle,
                                                               metrics::ServerMetrics* metrics) {
  gpr_set_log_function(LogFromGrpc);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  auto impl = std::make_unique<Impl>(options, repository, lifecycle, metrics);
  if (absl::Status status = impl->Bind(options); !status.ok()) return status;
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(impl)));
}

GrpcServer::GrpcServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GrpcServer::~GrpcServer() = default;

const std::string& GrpcServer::address() const { return impl_->address(); }
void GrpcServer::UpdateHealth() { impl_->health().Update(); }
void GrpcServer::EndStreams(absl::Duration patience) { impl_->EndStreams(patience); }
void GrpcServer::Finish(absl::Duration patience) { impl_->Finish(patience); }

}  // namespace stillwave::service
