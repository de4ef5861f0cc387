#include "server/service/health_service.h"

#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/base/quoted.h"
#include "server/service/grpc_status.h"
#include "server/service/received.h"

namespace stillwave::service {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// One Watch call. The service's mutex guards it (Set and End need it held); gRPC deletes it (OnDone), after which the
// service no longer knows it.
class HealthService::Watcher final : public grpc::ServerWriteReactor<HealthCheckResponse> {
 public:
  Watcher(HealthService* service, std::string name, OpenCalls* calls)
      : open_(calls), service_(service), name_(std::move(name)) {}

  const std::string& name() const { return name_; }

  // Tells the client unless it knows already. What changes twice during one write is told once.
  void Set(HealthCheckResponse::ServingStatus status) {
    wanted_ = status;
    Advance();
  }

  // The client hears the last status and UNAVAILABLE.
  void End() {
    ending_ = true;
    Advance();
  }

  void OnWriteDone(bool ok) override {
    absl::MutexLock lock(&service_->mutex_);
    writing_ = false;
    if (!ok) client_gone_ = true;
    Advance();
  }

  void OnCancel() override {
    absl::MutexLock lock(&service_->mutex_);
    client_gone_ = true;
    Advance();
  }

  void OnDone() override {
    service_->Remove(this);
    delete this;
  }

 private:
  // One write in flight; Finish once, after it.
  void Advance() {
    service_->mutex_.AssertHeld();
    if (writing_ || finished_) return;
    const bool news = !told_anything_ || message_.status() != wanted_;
    if (news && !client_gone_) {
      told_anything_ = true;
      writing_ = true;
      message_.set_status(wanted_);
      StartWrite(&message_);
    } else if (ending_ || client_gone_) {
      finished_ = true;
      Finish(ToGrpcStatus(client_gone_ ? absl::CancelledError("the watcher is gone")
                                       : absl::UnavailableError("the server is stopping; try another one")));
    }
  }

  const OpenCall open_;  // first, so that it ends last
  HealthService* const service_;
  const std::string name_;
  HealthCheckResponse::ServingStatus wanted_ = HealthCheckResponse::UNKNOWN;
  HealthCheckResponse message_;  // what was told last, and the buffer of the write
  bool told_anything_ = false;
  bool writing_ = false;
  bool ending_ = false;
  bool client_gone_ = false;
  bool finished_ = false;
};

namespace {

class RefusedWatch final : public grpc::ServerWriteReactor<HealthCheckResponse> {
 public:
  explicit RefusedWatch(const absl::Status& status) { Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

HealthService::HealthService(const Lifecycle* lifecycle, OpenCalls* calls) : lifecycle_(lifecycle), calls_(calls) {
  MarkMethodCallback(MethodIndex(grpc::health::v1::Health::service_full_name(), "Check"),
                     BoundedUnary(this, &HealthService::Check));
  MarkMethodCallback(
      MethodIndex(grpc::health::v1::Health::service_full_name(), "Watch"),
      new grpc::internal::CallbackServerStreamingHandler<Received<HealthCheckRequest>, HealthCheckResponse>(
          [this](grpc::CallbackServerContext* context,
                 const Received<HealthCheckRequest>* request) -> grpc::ServerWriteReactor<HealthCheckResponse>* {
            if (!request->status.ok()) return new RefusedWatch(request->status);
            return Watch(context, &request->message);
          }));
}

HealthService::~HealthService() {
  absl::MutexLock lock(&mutex_);
  SW_CHECK(watchers_.empty());
}

HealthCheckResponse::ServingStatus HealthService::StatusOf(const std::string& service) const {
  const absl::Status status = service.empty() ? lifecycle_->Readiness() : lifecycle_->ModelReadiness(service, "");
  if (status.ok()) return HealthCheckResponse::SERVING;
  return absl::IsNotFound(status) ? HealthCheckResponse::SERVICE_UNKNOWN : HealthCheckResponse::NOT_SERVING;
}

grpc::ServerUnaryReactor* HealthService::Check(grpc::CallbackServerContext* context, const HealthCheckRequest* request,
                                               HealthCheckResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const HealthCheckResponse::ServingStatus status = StatusOf(request->service());
  if (status == HealthCheckResponse::SERVICE_UNKNOWN) {
    reactor->Finish(ToGrpcStatus(absl::NotFoundError(absl::StrCat(
        "service must be \"\" (the server) or the name of a model; was ", base::Quoted(request->service())))));
    return reactor;
  }
  response->set_status(status);
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerWriteReactor<HealthCheckResponse>* HealthService::Watch(grpc::CallbackServerContext* /*context*/,
                                                                    const HealthCheckRequest* request) {
  auto* const watcher = new Watcher(this, request->service(), calls_);
  absl::MutexLock lock(&mutex_);
  watchers_.insert(watcher);
  // Under the lock, so that no Update between looking and telling is lost.
  watcher->Set(StatusOf(watcher->name()));
  if (stopped_) watcher->End();
  return watcher;
}

void HealthService::Update() {
  absl::MutexLock lock(&mutex_);
  for (Watcher* watcher : watchers_) watcher->Set(StatusOf(watcher->name()));
}

void HealthService::Stop() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
  for (Watcher* watcher : watchers_) {
    watcher->Set(StatusOf(watcher->name()));
    watcher->End();
  }
}

void HealthService::Remove(Watcher* watcher) {
  absl::MutexLock lock(&mutex_);
  watchers_.erase(watcher);
}

}  // namespace stillwave::service
