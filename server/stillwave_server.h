// The server: owns its parts in the order in which they need each other.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/batching/batch_scheduler.h"
#include "server/config/server_config.h"
#include "server/metrics/metrics_endpoint.h"
#include "server/metrics/server_metrics.h"
#include "server/repository/model_repository.h"
#include "server/repository/repository_poller.h"
#include "server/service/grpc_server.h"
#include "server/service/lifecycle.h"

namespace stillwave {

// Create binds the ports, Start loads the models, Drain ends it all. Not thread-safe; its parts are.
class StillwaveServer {
 public:
  // REQUIRES: Validate(config) is OK. UNAVAILABLE when a port cannot be bound. /livez answers from here on.
  static absl::StatusOr<std::unique_ptr<StillwaveServer>> Create(const config::ServerConfig& config);

  // Loads the models, becomes ready, begins to watch the repository where it is asked to, and logs "serving" with both
  // addresses. An error when the repository folder cannot be read, or when the one model of --model or of the
  // demonstration is refused.
  absl::Status Start(const std::function<bool()>& stop_requested = {});

  // Readiness and health turn off; the server serves on for the drain delay, then refuses new work, finishes what it
  // accepted and ends every stream. Blocks until then. /livez answers until the server is destroyed.
  void Drain();

  ~StillwaveServer();
  StillwaveServer(const StillwaveServer&) = delete;
  StillwaveServer& operator=(const StillwaveServer&) = delete;

 private:
  explicit StillwaveServer(const config::ServerConfig& config);
  absl::Status Bind();
  absl::Status LoadModels(const std::function<bool()>& stop_requested);
  absl::Status LoadRepository(const std::function<bool()>& stop_requested);

  const config::ServerConfig config_;
  metrics::ServerMetrics metrics_;
  batching::BatchScheduler scheduler_;
  repository::ModelRepository repository_;
  service::Lifecycle lifecycle_;
  std::unique_ptr<metrics::MetricsEndpoint> http_;
  std::unique_ptr<service::GrpcServer> grpc_;
  std::unique_ptr<repository::RepositoryPoller> poller_;  // in --model_control_mode=poll, from the end of Start on
};

// For --describe: the model of --model, or the demonstration model, in words.
absl::StatusOr<std::string> DescribeModel(const config::ServerConfig& config);

}  // namespace stillwave
