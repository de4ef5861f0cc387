#include "server/service/stream_service.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/service/grpc_status.h"
#include "server/service/stream_reactor.h"

namespace stillwave::service {
namespace {

class RefusedWindows final
    : public grpc::ServerBidiReactor<Received<v1::StreamWindowsRequest>, v1::StreamWindowsResponse> {
 public:
  RefusedWindows(grpc::CallbackServerContext* context, const absl::Status& status) {
    if (absl::IsResourceExhausted(status)) {
      context->AddTrailingMetadata(kRetryPushbackKey, kRetryPushbackMilliseconds);
    }
    Finish(ToGrpcStatus(status));
  }
  void OnDone() override { delete this; }
};

}  // namespace

StreamService::StreamService(const Options& options, streaming::ModelSource source, const Lifecycle* lifecycle,
                             metrics::ServerMetrics* metrics, OpenCalls* calls)
    : options_(options), source_(std::move(source)), lifecycle_(lifecycle), metrics_(metrics), calls_(calls) {
  MarkMethodCallback(
      MethodIndex(v1::TimeSeriesService::service_full_name(), "StreamWindows"),
      new grpc::internal::CallbackBidiHandler<Received<v1::StreamWindowsRequest>, v1::StreamWindowsResponse>(
          [this](grpc::CallbackServerContext* context) { return Open(context); }));
}

StreamService::~StreamService() {
  absl::MutexLock lock(&mutex_);
  SW_CHECK(streams_ == 0);
}

absl::Status StreamService::Admit() {
  absl::MutexLock lock(&mutex_);
  if (absl::Status status = lifecycle_->StreamAdmission(); !status.ok()) {
    metrics_->unknown_model().CountRejection(metrics::Rejection::kDraining);
    return status;
  }
  if (streams_ >= options_.max_streams) {
    metrics_->unknown_model().CountRejection(metrics::Rejection::kTooManyStreams);
    return absl::ResourceExhaustedError(
        absl::StrCat("there must be at most ", options_.max_streams, " streams at the same time; all are in use"));
  }
  ++streams_;
  return absl::OkStatus();
}

StreamService::Reactor* StreamService::Open(grpc::CallbackServerContext* context) {
  if (absl::Status status = Admit(); !status.ok()) return new RefusedWindows(context, status);
  auto* const reactor = new StreamReactor(context, options_.session, source_, metrics_, calls_);
  std::shared_ptr<streaming::StreamSession> session = reactor->session();
  bool drain_now = false;
  {
    absl::MutexLock lock(&mutex_);
    sessions_.insert(session);
    drain_now = draining_;
  }
  reactor->Start(/*on_end=*/[this, session] {
    absl::MutexLock lock(&mutex_);
    sessions_.erase(session);
    --streams_;
  });
  if (drain_now) session->Drain();
  return reactor;
}

void StreamService::Drain() {
  Sessions sessions;
  {
    absl::MutexLock lock(&mutex_);
    draining_ = true;
    sessions = sessions_;
  }
  for (const std::shared_ptr<streaming::StreamSession>& session : sessions) session->Drain();
}

}  // namespace stillwave::service
