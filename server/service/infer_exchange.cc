#include "server/service/infer_exchange.h"

#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "server/base/log.h"
#include "server/base/status_macros.h"
#include "server/model/input_validation.h"
#include "server/model/not_finite.h"
#include "server/service/request_parameters.h"

namespace stillwave::service {

InferExchange::InferExchange(const InferContext& context, metrics::Method method,
                             std::shared_ptr<batching::Cancellation> cancellation,
                             const inference::ModelInferRequest* request, inference::ModelInferResponse* response)
    : context_(context),
      method_(method),
      request_(request),
      response_(response),
      start_(absl::Now()),
      cancellation_(std::move(cancellation)),
      metrics_(&context.metrics->unknown_model()) {}

void InferExchange::Start(absl::Time deadline, Done done) {
  done_ = std::move(done);
  if (absl::Status status = Submit(deadline); !status.ok()) End(std::move(status));
}

absl::Status InferExchange::FindModel() {
  if (absl::Status status = context_.lifecycle->Admission(); !status.ok()) {
    metrics_->CountRejection(metrics::Rejection::kDraining);
    return status;
  }
  auto found = context_.repository->Find(request_->model_name(), request_->model_version());
  if (absl::IsUnavailable(found.status())) metrics_->CountRejection(metrics::Rejection::kNotReady);
  ASSIGN_OR_RETURN(model_, std::move(found));
  metrics_ = &model_->metrics();
  return absl::OkStatus();
}

absl::Status InferExchange::TakeBudget() {
  auto bytes = static_cast<int64_t>(request_->ByteSizeLong());
  for (const tensor::Tensor& copy : decoded_.converted) bytes += static_cast<int64_t>(copy.byte_size());
  auto share = context_.budget->Take(bytes);
  if (!share.ok()) metrics_->CountRejection(metrics::Rejection::kRequestMemory);
  ASSIGN_OR_RETURN(share_, std::move(share));
  return absl::OkStatus();
}

absl::Status InferExchange::Submit(absl::Time deadline) {
  RETURN_IF_ERROR(FindModel());
  ASSIGN_OR_RETURN(const RequestOptions options, ReadParameters(*request_));
  ASSIGN_OR_RETURN(decoded_, DecodeInputs(*request_, context_.regions));
  ASSIGN_OR_RETURN(model::ValidInputs valid,
                   model::ValidateInputs(model_->signature(), model_->max_batch_size(), decoded_.inputs));
  std::vector<const std::string*> names;
  for (const auto& output : request_->outputs()) names.push_back(&output.name());
  ASSIGN_OR_RETURN(outputs_, model::SelectOutputs(model_->signature(), names));
  if (!valid.not_finite.empty()) {
    RETURN_IF_ERROR(model::CheckOutputsHaveNaN(model_->signature(), outputs_, valid.not_finite));
    not_finite_ = std::move(valid.not_finite);
  }
  ASSIGN_OR_RETURN(places_, FindSharedOutputs(*request_, context_.regions));
  RETURN_IF_ERROR(TakeBudget());
  batching::InferenceTask task;
  task.inputs = std::move(valid.views);
  task.samples = valid.samples;
  task.deadline = deadline;
  task.timeout = options.timeout;
  task.priority = options.priority;
  task.cancellation = cancellation_;
  task.may_run_on_caller = true;
  task.done = [this](batching::InferenceResult result) { Answer(std::move(result)); };
  // A worker may answer, and let go of model_ and of this, before Submit returns.
  const std::shared_ptr<const repository::ServedModel> model = model_;
  return model->queue()->Submit(std::move(task));
}

void InferExchange::Answer(batching::InferenceResult result) {
  absl::Status status = std::move(result.status);
  if (status.ok()) {
    response_->set_model_name(model_->name());
    response_->set_model_version(model_->version());
    response_->set_id(request_->id());
    // Computed all the same: what a sample holds is no reason for another answer time.
    if (!not_finite_.empty()) {
      metrics_->not_finite_samples->Increment(static_cast<double>(not_finite_.size()));
      for (const size_t output : outputs_) model::SetToNaN(not_finite_, result.outputs[output]);
    }
    status = EncodeOutputs(model_->signature(), outputs_, places_, result.outputs, response_);
  }
  End(std::move(status));
}

void InferExchange::End(absl::Status status) {
  if (absl::IsInternal(status)) {
    base::Log(base::LogLevel::kError, "inference failed",
              {{"id", request_->id()}, {"model", request_->model_name()}, {"reason", status.message()}});
  }
  metrics_->CountRequest(method_, status.code(), absl::Now() - start_);
  model_.reset();
  share_.Release();
  Done done = std::move(done_);
  std::move(done)(std::move(status));
}

}  // namespace stillwave::service
