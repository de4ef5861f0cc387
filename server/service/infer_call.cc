#include "server/service/infer_call.h"

#include "server/service/call_deadline.h"
#include "server/service/grpc_status.h"

namespace stillwave::service {

InferCall::InferCall(grpc::CallbackServerContext* context, const InferContext& shared,
                     const inference::ModelInferRequest* request, inference::ModelInferResponse* response,
                     OpenCalls* calls)
    : open_(calls),
      context_(context),
      exchange_(shared, metrics::Method::kModelInfer, cancellation_, request, response) {}

void InferCall::Start() {
  exchange_.Start(DeadlineOf(*context_), [this](const absl::Status& status) { End(status); });
}

void InferCall::End(const absl::Status& status) {
  if (absl::IsResourceExhausted(status)) {
    context_->AddTrailingMetadata(kRetryPushbackKey, kRetryPushbackMilliseconds);
  }
  Finish(ToGrpcStatus(status));
}

}  // namespace stillwave::service
