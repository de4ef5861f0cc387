#include "server/service/monitoring_service.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/base/check.h"
#include "server/service/drift_response.h"
#include "server/service/grpc_status.h"
#include "server/service/received.h"

namespace stillwave::service {
namespace {

constexpr absl::Duration kDefaultInterval = absl::Seconds(1);
constexpr double kLeastSeconds = 0.1;
constexpr double kMostSeconds = 3600;

class RefusedDriftWatch final : public grpc::ServerWriteReactor<v1::DriftReport> {
 public:
  RefusedDriftWatch(const absl::Status& status, OpenCalls* calls) : open_(calls) { Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }

 private:
  const OpenCall open_;
};

grpc::ServerUnaryReactor* FinishUnary(grpc::CallbackServerContext* context, const absl::Status& status) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

absl::StatusOr<absl::Duration> IntervalOf(const v1::WatchDriftRequest& request) {
  const double seconds = request.interval_seconds();
  if (seconds == 0) return kDefaultInterval;
  if (seconds >= kLeastSeconds && seconds <= kMostSeconds) return absl::Seconds(seconds);
  return absl::InvalidArgumentError(
      absl::StrCat("interval_seconds must be ", kLeastSeconds, " to ", kMostSeconds, ", or 0; was ", seconds));
}

absl::Status Stopping() { return absl::UnavailableError("the server is stopping; try another one"); }

}  // namespace

MonitoringService::MonitoringService(const repository::ModelRepository* repository, OpenCalls* calls)
    : repository_(repository), calls_(calls) {
  const char* const name = v1::MonitoringService::service_full_name();
  MarkMethodCallback(MethodIndex(name, "GetDrift"), BoundedUnary(this, &MonitoringService::GetDrift));
  MarkMethodCallback(MethodIndex(name, "ResetDrift"), BoundedUnary(this, &MonitoringService::ResetDrift));
  MarkMethodCallback(
      MethodIndex(name, "WatchDrift"),
      new grpc::internal::CallbackServerStreamingHandler<Received<v1::WatchDriftRequest>, v1::DriftReport>(
          [this](grpc::CallbackServerContext* context,
                 const Received<v1::WatchDriftRequest>* request) -> grpc::ServerWriteReactor<v1::DriftReport>* {
            if (!request->status.ok()) return new RefusedDriftWatch(request->status, calls_);
            return WatchDrift(context, &request->message);
          }));
}

MonitoringService::~MonitoringService() {
  const absl::MutexLock lock(&mutex_);
  SW_CHECK(watchers_.empty());
}

grpc::ServerUnaryReactor* MonitoringService::GetDrift(grpc::CallbackServerContext* context,
                                                      const v1::GetDriftRequest* request, v1::DriftReport* response) {
  const auto model = FindWatched(*repository_, request->model_name(), request->model_version());
  if (model.ok()) *response = DescribeDrift(**model, !request->without_channels());
  return FinishUnary(context, model.status());
}

grpc::ServerUnaryReactor* MonitoringService::ResetDrift(grpc::CallbackServerContext* context,
                                                        const v1::ResetDriftRequest* request,
                                                        v1::ResetDriftResponse* response) {
  const auto model = FindWatched(*repository_, request->model_name(), request->model_version());
  if (model.ok()) {
    response->set_model_name((*model)->name());
    response->set_model_version((*model)->version());
    response->set_forgotten_samples((*model)->drift()->Reset());
  }
  return FinishUnary(context, model.status());
}

grpc::ServerWriteReactor<v1::DriftReport>* MonitoringService::WatchDrift(grpc::CallbackServerContext* /*context*/,
                                                                         const v1::WatchDriftRequest* request) {
  const absl::StatusOr<absl::Duration> interval = IntervalOf(*request);
  if (!interval.ok()) return new RefusedDriftWatch(interval.status(), calls_);
  DriftStream* stream = nullptr;
  {
    const absl::MutexLock lock(&mutex_);
    if (stopped_) return new RefusedDriftWatch(Stopping(), calls_);
    if (watchers_.size() >= kMaxWatchers) {
      return new RefusedDriftWatch(
          absl::ResourceExhaustedError(absl::StrCat("there must be at most ", kMaxWatchers,
                                                    " calls of WatchDrift at the same time; so many are open")),
          calls_);
    }
    stream = new DriftStream(repository_, *request, *interval, calls_,
                             /*on_done=*/[this](DriftStream* done) { Remove(done); });
    watchers_.insert(stream);
  }
  stream->Start();
  return stream;
}

void MonitoringService::Stop() {
  const absl::MutexLock lock(&mutex_);
  stopped_ = true;
  for (DriftStream* const stream : watchers_) stream->End(Stopping());
}

void MonitoringService::Remove(DriftStream* stream) {
  const absl::MutexLock lock(&mutex_);
  watchers_.erase(stream);
}

}  // namespace stillwave::service
