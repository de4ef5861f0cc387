// stillwave.v1.TimeSeriesService: windows over time series.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <memory>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "server/metrics/server_metrics.h"
#include "server/service/lifecycle.h"
#include "server/service/open_calls.h"
#include "server/service/received.h"
#include "server/streaming/stream_model.h"
#include "server/streaming/stream_session.h"
#include "stillwave/v1/stream_inference.grpc.pb.h"

namespace stillwave::service {

// Thread-safe. REQUIRES: destroyed after the server that it is registered with.
class StreamService final : public v1::TimeSeriesService::CallbackService {
 public:
  struct Options {
    streaming::StreamSession::Options session;
    // Calls at the same time; more are refused with RESOURCE_EXHAUSTED. Positive.
    int64_t max_streams = 256;
  };

  // The pointers outlive the service.
  StreamService(const Options& options, streaming::ModelSource source, const Lifecycle* lifecycle,
                metrics::ServerMetrics* metrics, OpenCalls* calls);
  ~StreamService() override;

  // Every stream answers what it accepted, says Draining and ends with UNAVAILABLE; new ones are refused. Does not
  // wait.
  void Drain();

 private:
  using Reactor = grpc::ServerBidiReactor<Received<v1::StreamWindowsRequest>, v1::StreamWindowsResponse>;
  using Sessions = std::set<std::shared_ptr<streaming::StreamSession>>;

  // A call of StreamWindows.
  Reactor* Open(grpc::CallbackServerContext* context);
  // OK and counts the stream, or why it must not start.
  absl::Status Admit();

  const Options options_;
  const streaming::ModelSource source_;
  const Lifecycle* const lifecycle_;
  metrics::ServerMetrics* const metrics_;
  OpenCalls* const calls_;
  absl::Mutex mutex_;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t streams_ ABSL_GUARDED_BY(mutex_) = 0;  // admitted and not ended; sessions_ follows a moment later
  Sessions sessions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stillwave::service
