#include "server/service/drift_stream.h"

#include <utility>

#include "absl/time/clock.h"
#include "server/service/drift_response.h"
#include "server/service/grpc_status.h"

namespace stillwave::service {

DriftStream::DriftStream(const repository::ModelRepository* repository, v1::WatchDriftRequest request,
                         absl::Duration interval, OpenCalls* calls, std::function<void(DriftStream*)> on_done)
    : open_(calls),
      repository_(repository),
      request_(std::move(request)),
      interval_(interval),
      on_done_(std::move(on_done)) {}

absl::Status DriftStream::EndStatus() const {
  const absl::MutexLock lock(&mutex_);
  return end_;
}

void DriftStream::Report() {
  if (const absl::Status end = EndStatus(); !end.ok()) return Finish(ToGrpcStatus(end));
  const auto model = FindWatched(*repository_, request_.model_name(), request_.model_version());
  if (!model.ok()) return Finish(ToGrpcStatus(model.status()));
  report_ = DescribeDrift(**model, !request_.without_channels());
  StartWrite(&report_);
}

void DriftStream::OnWriteDone(bool ok) {
  if (!ok) End(absl::CancelledError("the watcher is gone"));
  if (const absl::Status end = EndStatus(); !end.ok()) return Finish(ToGrpcStatus(end));
  AwaitNext();
}

void DriftStream::AwaitNext() {
  const absl::MutexLock lock(&mutex_);
  // A new one each time: the last one's callback may still be about to return.
  alarm_ = std::make_unique<grpc::Alarm>();
  alarm_->Set(absl::ToChronoTime(absl::Now() + interval_), [this](bool /*expired*/) { OnAlarm(); });
  // Who ended it before the alarm was there could not cancel it.
  if (!end_.ok()) alarm_->Cancel();
}

void DriftStream::OnAlarm() { Report(); }

void DriftStream::End(const absl::Status& status) {
  const absl::MutexLock lock(&mutex_);
  if (end_.ok()) end_ = status;
  if (alarm_ != nullptr) alarm_->Cancel();
}

void DriftStream::OnDone() {
  on_done_(this);
  delete this;
}

}  // namespace stillwave::service
