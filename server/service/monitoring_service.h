// stillwave.v1.MonitoringService: the drift of models.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "server/repository/model_repository.h"
#include "server/service/drift_stream.h"
#include "server/service/open_calls.h"
#include "stillwave/v1/monitoring.grpc.pb.h"

namespace stillwave::service {

// Thread-safe. REQUIRES: destroyed after the server that it is registered with.
class MonitoringService final : public v1::MonitoringService::CallbackService {
 public:
  // Calls of WatchDrift at the same time: each makes a report of every channel in its interval.
  static constexpr size_t kMaxWatchers = 64;

  // Both outlive the service.
  MonitoringService(const repository::ModelRepository* repository, OpenCalls* calls);
  ~MonitoringService() override;

  grpc::ServerUnaryReactor* GetDrift(grpc::CallbackServerContext* context, const v1::GetDriftRequest* request,
                                     v1::DriftReport* response) override;
  grpc::ServerWriteReactor<v1::DriftReport>* WatchDrift(grpc::CallbackServerContext* context,
                                                        const v1::WatchDriftRequest* request) override;
  grpc::ServerUnaryReactor* ResetDrift(grpc::CallbackServerContext* context, const v1::ResetDriftRequest* request,
                                       v1::ResetDriftResponse* response) override;

  // Ends every WatchDrift, those that start later too, with UNAVAILABLE; they would keep the server from shutting down.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Remove(DriftStream* stream) ABSL_LOCKS_EXCLUDED(mutex_);

  const repository::ModelRepository* const repository_;
  OpenCalls* const calls_;
  absl::Mutex mutex_;
  std::set<DriftStream*> watchers_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace stillwave::service
