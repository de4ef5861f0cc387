#include "server/stillwave_server.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/base/descriptor_limit.h"
#include "server/base/host_port.h"
#include "server/base/log.h"
#include "server/base/status_macros.h"
#include "server/config/model_name.h"
#include "server/config/version.h"
#include "server/model/demo_model.h"
#include "server/model/loaded_model.h"
#include "server/overlap/describe_reuse.h"
#include "server/status_json.h"

namespace stillwave {
namespace {

using base::Log;
using base::LogLevel;

// How long accepted calls may take to finish once new streams are refused; together with a drain delay of a few seconds
// it stays below the 30 seconds that Kubernetes waits by default. A client that does not read its stream would hold the
// server for ever. Streams have the first part for themselves; those that a client does not read go on in the second.
constexpr absl::Duration kPatience = absl::Seconds(20);
constexpr absl::Duration kStreamPatience = absl::Seconds(5);

// What holds for a model whose own configuration does not say otherwise.
model::ModelConfig ModelDefaults(const config::ServerConfig& config) {
  model::ModelConfig defaults;
  defaults.max_batch_size = config.max_batch_size;
  defaults.max_queue_samples = config.max_queue_samples;
  defaults.batch_norm = config.batch_norm;
  defaults.precision = config.precision;
  defaults.drift.sample_rate = config.drift_sample_rate;
  defaults.window_length = config.window_length;
  return defaults;
}

batching::BatchScheduler::Options SchedulerOptions(const config::ServerConfig& config) {
  batching::BatchScheduler::Options options;
  options.workers = static_cast<int>(config.workers);
  options.inline_compute = absl::Microseconds(config.inline_compute_microseconds);
  if (config.max_queue_milliseconds > 0) options.max_queue_wait = absl::Milliseconds(config.max_queue_milliseconds);
  return options;
}

repository::RepositoryOptions RepositoryOptionsOf(const config::ServerConfig& config) {
  repository::RepositoryOptions options;
  options.mode = config.model_control_mode;
  options.loader_threads = static_cast<int>(config.model_load_threads);
  return options;
}

// The address with the port that was bound.
std::string WithPort(const std::string& address, int port) {
  return absl::StrCat(absl::string_view(address).substr(0, address.rfind(':')), ":", port);
}

}  // namespace

absl::StatusOr<std::unique_ptr<StillwaveServer>> StillwaveServer::Create(const config::ServerConfig& config) {
  RETURN_IF_ERROR(config::Validate(config));
  std::unique_ptr<StillwaveServer> server(new StillwaveServer(config));
  RETURN_IF_ERROR(server->Bind());
  return server;
}

StillwaveServer::StillwaveServer(const config::ServerConfig& config)
    : config_(config),
      scheduler_(SchedulerOptions(config)),
      repository_(&scheduler_, &metrics_, ModelDefaults(config), RepositoryOptionsOf(config)),
      lifecycle_(&repository_, config.strict_readiness) {}

// Loaders tell the gRPC server what changed: they end before it goes.
StillwaveServer::~StillwaveServer() {
  poller_.reset();
  repository_.Stop();
}

absl::Status StillwaveServer::Bind() {
  service::GrpcServer::Options grpc;
  grpc.address = config_.grpc_address;
  grpc.max_streams = config_.max_streams;
  grpc.max_series_per_stream = config_.max_series_per_stream;
  grpc.max_request_bytes = config_.max_request_megabytes << 20;
  // Twice a message on top, so that the largest one can be received however small the budget is.
  grpc.connections.max_buffered_bytes = grpc.max_request_bytes + 2 * service::GrpcServer::kMaxMessageBytes;
  grpc.connections.keepalive_seconds = config_.keepalive_seconds;
  grpc.shared_memory = config_.shared_memory;
  grpc.workers = static_cast<int>(config_.workers);
  ASSIGN_OR_RETURN(grpc_, service::GrpcServer::Create(grpc, &repository_, &lifecycle_, &metrics_));
  repository_.WhenChanged([this] { grpc_->UpdateHealth(); });
  metrics::MetricsEndpoint::Options http;
  ASSIGN_OR_RETURN(http.address, base::ParseHostPort("--http_address", config_.http_address));
  http.metrics_text = [this] { return metrics_.Text(); };
  http.readiness = [this] { return lifecycle_.Readiness(); };
  http.status_json = [this] { return StatusJson(repository_); };
  absl::StatusOr<std::unique_ptr<metrics::MetricsEndpoint>> endpoint =
      metrics::MetricsEndpoint::Create(std::move(http));
  if (!endpoint.ok()) return base::Annotate(endpoint.status(), "--http_address");
  http_ = *std::move(endpoint);
  return absl::OkStatus();
}

absl::Status StillwaveServer::LoadRepository(const std::function<bool()>& stop_requested) {
  const std::string& folder = config_.model_repository;
  if (config_.model_control_mode == repository::ControlMode::kExplicit) {
    return repository_.LoadListed(folder, config_.load_models, stop_requested);
  }
  return repository_.LoadAll(folder, stop_requested);
}

absl::Status StillwaveServer::LoadModels(const std::function<bool()>& stop_requested) {
  if (!config_.model_repository.empty()) return LoadRepository(stop_requested);
  if (!config_.model.empty()) {
    return base::Annotate(repository_.LoadFile(config::ModelNameFor(config_.model), config_.model, stop_requested),
                          config_.model);
  }
  model::ModelConfig demo = ModelDefaults(config_);
  demo.name = model::kDemoModelName;
  return repository_.LoadBytes(demo, model::DemoModelBytes(), stop_requested);
}

absl::Status StillwaveServer::Start(const std::function<bool()>& stop_requested) {
  Log(LogLevel::kInfo, "starting",
      {{"version", config::Version()}, {"workers", config_.workers}, {"descriptor_limit", base::DescriptorLimit()}});
  const absl::Status loaded = LoadModels(stop_requested);
  // What was broken off is no reason to fail.
  if (stop_requested && stop_requested()) return absl::OkStatus();
  RETURN_IF_ERROR(loaded);
  repository_.FinishStart();
  if (config_.model_control_mode == repository::ControlMode::kPoll) {
    poller_ =
        std::make_unique<repository::RepositoryPoller>(&repository_, absl::Seconds(config_.repository_poll_seconds));
  }
  Log(LogLevel::kInfo, "serving",
      {{"grpc_address", grpc_->address()}, {"http_address", WithPort(config_.http_address, http_->port())}});
  return absl::OkStatus();
}

void StillwaveServer::Drain() {
  Log(LogLevel::kInfo, "draining", {{"delay_seconds", config_.drain_delay_seconds}});
  poller_.reset();
  lifecycle_.BeginDrain();
  grpc_->UpdateHealth();
  absl::SleepFor(absl::Seconds(config_.drain_delay_seconds));
  const absl::Time end = absl::Now() + kPatience;
  lifecycle_.RefuseStreams();
  grpc_->EndStreams(kStreamPatience);
  lifecycle_.RefuseWork();
  repository_.Stop();  // calls that wait for a load are answered
  grpc_->Finish(end - absl::Now());
  scheduler_.Drain();
  Log(LogLevel::kInfo, "stopped");
}

absl::StatusOr<std::string> DescribeModel(const config::ServerConfig& config) {
  using model::LoadedModel;
  const model::LoadOptions options = ToLoadOptions(ModelDefaults(config));
  const auto model = config.model.empty() ? LoadedModel::LoadFromBytes(model::DemoModelBytes(), options)
                                          : LoadedModel::Load(config.model, options);
  if (!model.ok()) return base::Annotate(model.status(), config.model.empty() ? "demonstration model" : config.model);
  ASSIGN_OR_RETURN(const std::string layers, (*model)->Describe(config.window_length));
  ASSIGN_OR_RETURN(const std::string windows, overlap::DescribeWindows(**model, config.window_length));
  return absl::StrCat(layers, "\n", windows);
}

}  // namespace stillwave
