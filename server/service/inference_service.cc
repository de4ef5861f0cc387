#include "server/service/inference_service.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "server/config/version.h"
#include "server/service/grpc_status.h"
#include "server/service/infer_call.h"

namespace stillwave::service {
namespace {

using Context = InferenceService::Context;
using Unary = InferenceService::Unary;

Unary* Answer(Context* context, const absl::Status& status) {
  Unary* const reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

Unary* NotBuilt(Context* context, absl::string_view sentence) {
  return Answer(context, absl::UnimplementedError(sentence));
}

constexpr char kNoModelControl[] =
    "this build does not load or unload models while it runs; change the repository and restart the server";
constexpr char kNoSharedMemory[] =
    "this build does not take tensors from shared memory; send them in raw_input_contents";

// A stream that ends at once.
class NotBuiltStream final
    : public grpc::ServerBidiReactor<inference::ModelInferRequest, inference::ModelStreamInferResponse> {
 public:
  explicit NotBuiltStream(const absl::Status& status) { Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

void Describe(const model::TensorSpec& spec, inference::ModelMetadataResponse::TensorMetadata* metadata) {
  metadata->set_name(spec.name);
  const absl::string_view type = tensor::Name(spec.data_type);
  metadata->set_datatype(type.data(), type.size());
  for (const int64_t dim : spec.shape.dims()) metadata->add_shape(dim);
}

}  // namespace

Unary* InferenceService::ServerLive(Context* context, const inference::ServerLiveRequest* /*request*/,
                                    inference::ServerLiveResponse* response) {
  response->set_live(true);
  return Answer(context, absl::OkStatus());
}

Unary* InferenceService::ServerReady(Context* context, const inference::ServerReadyRequest* /*request*/,
                                     inference::ServerReadyResponse* response) {
  response->set_ready(lifecycle_->Readiness().ok());
  return Answer(context, absl::OkStatus());
}

Unary* InferenceService::ModelReady(Context* context, const inference::ModelReadyRequest* request,
                                    inference::ModelReadyResponse* response) {
  const absl::Status status = lifecycle_->ModelReadiness(request->name(), request->version());
  response->set_ready(status.ok());
  return Answer(context, absl::IsNotFound(status) ? status : absl::OkStatus());
}

Unary* InferenceService::ServerMetadata(Context* context, const inference::ServerMetadataRequest* /*request*/,
                                        inference::ServerMetadataResponse* response) {
  response->set_name("stillwave");
  const absl::string_view version = config::Version();
  response->set_version(version.data(), version.size());
  return Answer(context, absl::OkStatus());
}

Unary* InferenceService::ModelMetadata(Context* context, const inference::ModelMetadataRequest* request,
                                       inference::ModelMetadataResponse* response) {
  const auto model = repository_->Find(request->name(), request->version());
  if (!model.ok()) return Answer(context, model.status());
  response->set_name((*model)->name());
  for (const std::string& version : repository_->ReadyVersions(request->name())) response->add_versions(version);
  response->set_platform("onnx_onnxv1");
  for (const model::TensorSpec& spec : (*model)->signature().inputs) Describe(spec, response->add_inputs());
  for (const model::TensorSpec& spec : (*model)->signature().outputs) Describe(spec, response->add_outputs());
  return Answer(context, absl::OkStatus());
}

Unary* InferenceService::ModelInfer(Context* context, const inference::ModelInferRequest* request,
                                    inference::ModelInferResponse* response) {
  auto* const call = new InferCall(context, request, response, metrics_, calls_);
  call->Start(*repository_, *lifecycle_);
  return call;
}

grpc::ServerBidiReactor<inference::ModelInferRequest, inference::ModelStreamInferResponse>*
InferenceService::ModelStreamInfer(Context* /*context*/) {
  return new NotBuiltStream(absl::UnimplementedError(
      "this build does not offer ModelStreamInfer; use ModelInfer, or stillwave.v1.TimeSeriesService/StreamWindows "
      "for windows over a series"));
}

Unary* InferenceService::ModelConfig(Context* context, const inference::ModelConfigRequest* /*request*/,
                                     inference::ModelConfigResponse* /*response*/) {
  return NotBuilt(context, "this build does not offer ModelConfig; ModelMetadata tells inputs and outputs");
}

Unary* InferenceService::ModelStatistics(Context* context, const inference::ModelStatisticsRequest* /*request*/,
                                         inference::ModelStatisticsResponse* /*response*/) {
  return NotBuilt(context, "this build does not offer ModelStatistics; scrape /metrics on the HTTP port");
}

Unary* InferenceService::RepositoryIndex(Context* context, const inference::RepositoryIndexRequest* request,
                                         inference::RepositoryIndexResponse* response) {
  if (!request->repository_name().empty()) {
    return Answer(context, absl::InvalidArgumentError(
                               absl::StrCat("repository_name must be empty, there is one repository; was '",
                                            request->repository_name(), "'")));
  }
  for (const repository::IndexEntry& entry : repository_->Index()) {
    if (request->ready() && entry.state != repository::VersionState::kReady) continue;
    auto* const model = response->add_models();
    model->set_name(entry.name);
    model->set_version(entry.version);
    model->set_state(repository::Name(entry.state));
    model->set_reason(entry.reason);
  }
  return Answer(context, absl::OkStatus());
}

Unary* InferenceService::RepositoryModelLoad(Context* context, const inference::RepositoryModelLoadRequest* /*request*/,
                                             inference::RepositoryModelLoadResponse* /*response*/) {
  return NotBuilt(context, kNoModelControl);
}

Unary* InferenceService::RepositoryModelUnload(Context* context,
                                               const inference::RepositoryModelUnloadRequest* /*request*/,
                                               inference::RepositoryModelUnloadResponse* /*response*/) {
  return NotBuilt(context, kNoModelControl);
}

Unary* InferenceService::SystemSharedMemoryStatus(Context* context,
                                                  const inference::SystemSharedMemoryStatusRequest* /*request*/,
                                                  inference::SystemSharedMemoryStatusResponse* /*response*/) {
  return NotBuilt(context, kNoSharedMemory);
}

Unary* InferenceService::SystemSharedMemoryRegister(Context* context,
                                                    const inference::SystemSharedMemoryRegisterRequest* /*request*/,
                                                    inference::SystemSharedMemoryRegisterResponse* /*response*/) {
  return NotBuilt(context, kNoSharedMemory);
}

Unary* InferenceService::SystemSharedMemoryUnregister(Context* context,
                                                      const inference::SystemSharedMemoryUnregisterRequest* /*request*/,
                                                      inference::SystemSharedMemoryUnregisterResponse* /*response*/) {
  return NotBuilt(context, kNoSharedMemory);
}

Unary* InferenceService::CudaSharedMemoryStatus(Context* context,
                                                const inference::CudaSharedMemoryStatusRequest* /*request*/,
                                                inference::CudaSharedMemoryStatusResponse* /*response*/) {
  return NotBuilt(context, kNoSharedMemory);
}

Unary* InferenceService::CudaSharedMemoryRegister(Context* context,
                                                  const inference::CudaSharedMemoryRegisterRequest* /*request*/,
                                                  inference::CudaSharedMemoryRegisterResponse* /*response*/) {
  return NotBuilt(context, kNoSharedMemory);
}

Unary* InferenceService::CudaSharedMemoryUnregister(Context* context,
                                                    const inference::CudaSharedMemoryUnregisterRequest* /*request*/,
                                                    inference::CudaSharedMemoryUnregisterResponse* /*response*/) {
  return NotBuilt(context, kNoSharedMemory);
}

Unary* InferenceService::TraceSetting(Context* context, const inference::TraceSettingRequest* /*request*/,
                                      inference::TraceSettingResponse* /*response*/) {
  return NotBuilt(context, "this build does not trace requests; /metrics on the HTTP port has their durations");
}

Unary* InferenceService::LogSettings(Context* context, const inference::LogSettingsRequest* /*request*/,
                                     inference::LogSettingsResponse* /*response*/) {
  return NotBuilt(context, "this build does not change log settings while it runs; start it with --log_level");
}

}  // namespace stillwave::service
