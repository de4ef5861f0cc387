// grpc.health.v1: "" is the server, any other service name is a model's name.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "server/service/lifecycle.h"
#include "server/service/open_calls.h"

namespace stillwave::service {

// Thread-safe. REQUIRES: destroyed after the server that it is registered with.
class HealthService final : public grpc::health::v1::Health::CallbackService {
 public:
  // Both outlive the service.
  HealthService(const Lifecycle* lifecycle, OpenCalls* calls);
  ~HealthService() override;

  // An unknown name: NOT_FOUND.
  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const grpc::health::v1::HealthCheckRequest* request,
                                  grpc::health::v1::HealthCheckResponse* response) override;

  // The status now, then each change; SERVICE_UNKNOWN for an unknown name, which may become known.
  grpc::ServerWriteReactor<grpc::health::v1::HealthCheckResponse>* Watch(
      grpc::CallbackServerContext* context, const grpc::health::v1::HealthCheckRequest* request) override;

  // Looks at the lifecycle again and tells the watchers what changed. Call it after every change.
  void Update();

  // Ends every Watch, those that start later too, with UNAVAILABLE; they would keep the server from shutting down.
  void Stop();

 private:
  class Watcher;

  grpc::health::v1::HealthCheckResponse::ServingStatus StatusOf(const std::string& service) const;
  void Remove(Watcher* watcher);

  const Lifecycle* const lifecycle_;
  OpenCalls* const calls_;
  absl::Mutex mutex_;
  std::set<Watcher*> watchers_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace stillwave::service
