#include "server/service/infer_call.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "server/base/log.h"
#include "server/base/status_macros.h"
#include "server/model/input_validation.h"
#include "server/service/grpc_status.h"
#include "server/service/request_parameters.h"

namespace stillwave::service {
namespace {

absl::Time DeadlineOf(const grpc::CallbackServerContext& context) {
  const std::chrono::system_clock::time_point deadline = context.deadline();
  return deadline == std::chrono::system_clock::time_point::max() ? absl::InfiniteFuture() : absl::FromChrono(deadline);
}

}  // namespace

InferCall::InferCall(grpc::CallbackServerContext* context, const inference::ModelInferRequest* request,
                     inference::ModelInferResponse* response, const metrics::ServerMetrics* metrics, OpenCalls* calls)
    : open_(calls),
      context_(context),
      request_(request),
      response_(response),
      start_(absl::Now()),
      metrics_(&metrics->unknown_model()) {}

void InferCall::Start(const repository::ModelRepository& repository, const Lifecycle& lifecycle) {
  if (absl::Status status = Submit(repository, lifecycle); !status.ok()) End(status);
}

absl::Status InferCall::FindModel(const repository::ModelRepository& repository, const Lifecycle& lifecycle) {
  if (absl::Status status = lifecycle.Admission(); !status.ok()) {
    metrics_->CountRejection(metrics::Rejection::kDraining);
    return status;
  }
  auto found = repository.Find(request_->model_name(), request_->model_version());
  if (absl::IsUnavailable(found.status())) metrics_->CountRejection(metrics::Rejection::kNotReady);
  ASSIGN_OR_RETURN(model_, std::move(found));
  metrics_ = &model_->metrics();
  return absl::OkStatus();
}

absl::Status InferCall::Submit(const repository::ModelRepository& repository, const Lifecycle& lifecycle) {
  RETURN_IF_ERROR(FindModel(repository, lifecycle));
  ASSIGN_OR_RETURN(const RequestOptions options, ReadParameters(*request_));
  ASSIGN_OR_RETURN(decoded_, DecodeInputs(*request_));
  ASSIGN_OR_RETURN(model::ValidInputs valid,
                   model::ValidateInputs(model_->signature(), model_->max_batch_size(), decoded_.inputs));
  std::vector<const std::string*> names;
  for (const auto& output : request_->outputs()) names.push_back(&output.name());
  ASSIGN_OR_RETURN(outputs_, model::SelectOutputs(model_->signature(), names));
  batching::InferenceTask task;
  task.inputs = std::move(valid.views);
  task.samples = valid.samples;
  task.deadline = std::min(DeadlineOf(*context_), start_ + options.timeout);
  task.cancelled = cancelled_;
  task.done = [this](batching::InferenceResult result) { Answer(std::move(result)); };
  // A worker may answer, and let go of model_, before Submit returns.
  const std::shared_ptr<const repository::ServedModel> model = model_;
  return model->queue()->Submit(std::move(task));
}

void InferCall::Answer(batching::InferenceResult result) {
  if (result.status.ok()) {
    response_->set_model_name(model_->name());
    response_->set_model_version(model_->version());
    response_->set_id(request_->id());
    EncodeOutputs(model_->signature(), outputs_, result.outputs, response_);
  }
  End(result.status);
}

void InferCall::End(const absl::Status& status) {
  if (absl::IsResourceExhausted(status)) {
    context_->AddTrailingMetadata(kRetryPushbackKey, kRetryPushbackMilliseconds);
  }
  if (absl::IsInternal(status)) {
    base::Log(base::LogLevel::kError, "inference failed",
              {{"id", request_->id()}, {"model", request_->model_name()}, {"reason", status.message()}});
  }
  metrics_->CountRequest(metrics::Method::kModelInfer, status.code(), absl::Now() - start_);
  model_.reset();
  Finish(ToGrpcStatus(status));
}

}  // namespace stillwave::service
