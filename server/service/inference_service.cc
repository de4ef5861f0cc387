#include "server/service/inference_service.h"

#include <string>

#include "server/config/version.h"
#include "server/service/config_response.h"
#include "server/service/grpc_status.h"
#include "server/service/log_settings.h"
#include "server/service/received.h"
#include "server/service/shared_memory_calls.h"
#include "server/service/statistics_response.h"

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

constexpr char kNoCuda[] =
    "this server computes on CPUs and does not take tensors from CUDA memory; send them in raw_input_contents";

void Describe(const model::TensorSpec& spec, inference::ModelMetadataResponse::TensorMetadata* metadata) {
  metadata->set_name(spec.name);
  const absl::string_view type = tensor::Name(spec.data_type);
  metadata->set_datatype(type.data(), type.size());
  for (const int64_t dim : spec.shape.dims()) metadata->add_shape(dim);
}

}  // namespace

InferenceService::InferenceService(const Options& options, repository::ModelRepository* repository,
                                   const Lifecycle* lifecycle, const metrics::ServerMetrics* metrics,
                                   OpenCalls* streams, OpenCalls* calls)
    : options_(options),
      repository_(repository),
      lifecycle_(lifecycle),
      budget_(options.max_request_bytes),
      infer_context_{repository, lifecycle, metrics, &budget_, options.shared_memory ? &regions_ : nullptr},
      streams_(&infer_context_, options.max_streams, streams),
      control_(repository, lifecycle, calls) {
  BoundRequests();
}

void InferenceService::BoundRequests() {
  using Self = InferenceService;
  const auto bound = [this](const char* name, auto method) {
    MarkMethodCallback(MethodIndex(inference::GRPCInferenceService::service_full_name(), name),
                       BoundedUnary(this, method));
  };
  bound("ServerLive", &Self::ServerLive);
  bound("ServerReady", &Self::ServerReady);
  bound("ModelReady", &Self::ModelReady);
  bound("ServerMetadata", &Self::ServerMetadata);
  bound("ModelMetadata", &Self::ModelMetadata);
  bound("ModelInfer", &Self::ModelInfer);
  bound("ModelConfig", &Self::ModelConfig);
  bound("ModelStatistics", &Self::ModelStatistics);
  bound("RepositoryIndex", &Self::RepositoryIndex);
  bound("RepositoryModelLoad", &Self::RepositoryModelLoad);
  bound("RepositoryModelUnload", &Self::RepositoryModelUnload);
  bound("SystemSharedMemoryStatus", &Self::SystemSharedMemoryStatus);
  bound("SystemSharedMemoryRegister", &Self::SystemSharedMemoryRegister);
  bound("SystemSharedMemoryUnregister", &Self::SystemSharedMemoryUnregister);
  bound("CudaSharedMemoryStatus", &Self::CudaSharedMemoryStatus);
  bound("CudaSharedMemoryRegister", &Self::CudaSharedMemoryRegister);
  bound("CudaSharedMemoryUnregister", &Self::CudaSharedMemoryUnregister);
  bound("TraceSetting", &Self::TraceSetting);
  bound("LogSettings", &Self::LogSettings);
  MarkMethodCallback(MethodIndex(inference::GRPCInferenceService::service_full_name(), "ModelStreamInfer"),
                     new grpc::internal::CallbackBidiHandler<Received<inference::ModelInferRequest>,
                                                             inference::ModelStreamInferResponse>(
                         [this](Context* context) { return streams_.Open(context); }));
}

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
  // Only what is true: clients decide by it what they ask for.
  for (const char* extension : {"model_repository", "model_configuration", "statistics", "logging"}) {
    response->add_extensions(extension);
  }
  if (options_.shared_memory) response->add_extensions("system_shared_memory");
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
  auto* const call = new InferCall(context, infer_context_, request, response, &infer_calls_);
  if (lifecycle_->Admission().ok() || !late_calls_.Hold(call)) call->Start();
  return call;
}

Unary* InferenceService::ModelConfig(Context* context, const inference::ModelConfigRequest* request,
                                     inference::ModelConfigResponse* response) {
  const auto model = repository_->Find(request->name(), request->version());
  if (model.ok()) *response->mutable_config() = DescribeConfig(**model, options_.workers);
  return Answer(context, model.status());
}

Unary* InferenceService::ModelStatistics(Context* context, const inference::ModelStatisticsRequest* request,
                                         inference::ModelStatisticsResponse* response) {
  return Answer(context, FillStatistics(*repository_, *request, response));
}

Unary* InferenceService::RepositoryIndex(Context* /*context*/, const inference::RepositoryIndexRequest* request,
                                         inference::RepositoryIndexResponse* response) {
  return control_.Index(*request, response);
}

Unary* InferenceService::RepositoryModelLoad(Context* /*context*/, const inference::RepositoryModelLoadRequest* request,
                                             inference::RepositoryModelLoadResponse* /*response*/) {
  return control_.Load(*request);
}

Unary* InferenceService::RepositoryModelUnload(Context* /*context*/,
                                               const inference::RepositoryModelUnloadRequest* request,
                                               inference::RepositoryModelUnloadResponse* /*response*/) {
  return control_.Unload(*request);
}

Unary* InferenceService::SystemSharedMemoryStatus(Context* context,
                                                  const inference::SystemSharedMemoryStatusRequest* request,
                                                  inference::SystemSharedMemoryStatusResponse* response) {
  return Answer(context, ListRegions(regions(), *request, response));
}

Unary* InferenceService::SystemSharedMemoryRegister(Context* context,
                                                    const inference::SystemSharedMemoryRegisterRequest* request,
                                                    inference::SystemSharedMemoryRegisterResponse* /*response*/) {
  return Answer(context, RegisterRegion(regions(), *request));
}

Unary* InferenceService::SystemSharedMemoryUnregister(Context* context,
                                                      const inference::SystemSharedMemoryUnregisterRequest* request,
                                                      inference::SystemSharedMemoryUnregisterResponse* /*response*/) {
  return Answer(context, UnregisterRegions(regions(), *request));
}

Unary* InferenceService::CudaSharedMemoryStatus(Context* context,
                                                const inference::CudaSharedMemoryStatusRequest* /*request*/,
                                                inference::CudaSharedMemoryStatusResponse* /*response*/) {
  return NotBuilt(context, kNoCuda);
}

Unary* InferenceService::CudaSharedMemoryRegister(Context* context,
                                                  const inference::CudaSharedMemoryRegisterRequest* /*request*/,
                                                  inference::CudaSharedMemoryRegisterResponse* /*response*/) {
  return NotBuilt(context, kNoCuda);
}

Unary* InferenceService::CudaSharedMemoryUnregister(Context* context,
                                                    const inference::CudaSharedMemoryUnregisterRequest* /*request*/,
                                                    inference::CudaSharedMemoryUnregisterResponse* /*response*/) {
  return NotBuilt(context, kNoCuda);
}

Unary* InferenceService::TraceSetting(Context* context, const inference::TraceSettingRequest* /*request*/,
                                      inference::TraceSettingResponse* /*response*/) {
  return NotBuilt(context, "this build does not trace requests; /metrics on the HTTP port has their durations");
}

Unary* InferenceService::LogSettings(Context* context, const inference::LogSettingsRequest* request,
                                     inference::LogSettingsResponse* response) {
  return Answer(context, HandleLogSettings(*request, response));
}

}  // namespace stillwave::service
