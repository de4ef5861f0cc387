#include "server/service/infer_streams.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/service/grpc_status.h"

namespace stillwave::service {
namespace {

using Reactor = grpc::ServerBidiReactor<Received<inference::ModelInferRequest>, inference::ModelStreamInferResponse>;

class RefusedInferStream final : public Reactor {
 public:
  RefusedInferStream(grpc::CallbackServerContext* context, const absl::Status& status) {
    if (absl::IsResourceExhausted(status)) {
      context->AddTrailingMetadata(kRetryPushbackKey, kRetryPushbackMilliseconds);
    }
    Finish(ToGrpcStatus(status));
  }
  void OnDone() override { delete this; }
};

}  // namespace

absl::Status InferStreams::Admit() {
  absl::MutexLock lock(&mutex_);
  const metrics::ModelMetrics& metrics = shared_.metrics->unknown_model();
  if (absl::Status status = shared_.lifecycle->StreamAdmission(); !status.ok()) {
    metrics.CountRejection(metrics::Rejection::kDraining);
    return status;
  }
  if (admitted_ >= max_streams_) {
    metrics.CountRejection(metrics::Rejection::kTooManyStreams);
    return absl::ResourceExhaustedError(
        absl::StrCat("there must be at most ", max_streams_, " inference streams at the same time; all are in use"));
  }
  ++admitted_;
  return absl::OkStatus();
}

Reactor* InferStreams::Open(grpc::CallbackServerContext* context) {
  if (absl::Status status = Admit(); !status.ok()) return new RefusedInferStream(context, status);
  const std::shared_ptr<InferStream> stream = InferStream::Create(context, shared_, calls_);
  bool drain_now = false;
  {
    absl::MutexLock lock(&mutex_);
    streams_.insert(stream);
    drain_now = draining_;
  }
  stream->Start(/*on_end=*/[this, raw = stream.get()] {
    absl::MutexLock lock(&mutex_);
    // The stream keeps itself: this is never its last reference.
    streams_.erase(raw->shared_from_this());
    --admitted_;
  });
  if (drain_now) stream->Drain();
  return stream.get();
}

void InferStreams::Drain() {
  std::set<std::shared_ptr<InferStream>> streams;
  {
    absl::MutexLock lock(&mutex_);
    draining_ = true;
    streams = streams_;
  }
  for (const std::shared_ptr<InferStream>& stream : streams) stream->Drain();
}

}  // namespace stillwave::service
