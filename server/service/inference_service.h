// inference.GRPCInferenceService: the Open Inference Protocol.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <cstdint>

#include "inference/open_inference_grpc.grpc.pb.h"
#include "server/metrics/server_metrics.h"
#include "server/repository/model_repository.h"
#include "server/service/infer_call.h"
#include "server/service/infer_exchange.h"
#include "server/service/infer_streams.h"
#include "server/service/late_calls.h"
#include "server/service/lifecycle.h"
#include "server/service/model_control_service.h"
#include "server/service/open_calls.h"
#include "server/service/request_budget.h"
#include "server/shared_memory/region_registry.h"

namespace stillwave::service {

// The protocol with Triton's extensions; what is not built answers UNIMPLEMENTED with a sentence. Thread-safe; no call
// blocks a thread of gRPC. REQUIRES: destroyed after the server that it is registered with.
class InferenceService final : public inference::GRPCInferenceService::CallbackService {
 public:
  struct Options {
    // Calls of ModelStreamInfer at the same time; more are refused with RESOURCE_EXHAUSTED. Positive.
    int64_t max_streams = 256;
    // Bytes of requests that wait or are computed; more are refused with RESOURCE_EXHAUSTED. Positive.
    int64_t max_request_bytes = int64_t{512} << 20;
    // Clients may pass tensors in POSIX shared memory.
    bool shared_memory = false;
    // For ModelConfig: how many batches run at the same time.
    int workers = 1;
  };

  // The pointers outlive the service. `streams` counts the calls of ModelStreamInfer, `calls` those that control
  // models.
  InferenceService(const Options& options, repository::ModelRepository* repository, const Lifecycle* lifecycle,
                   const metrics::ServerMetrics* metrics, OpenCalls* streams, OpenCalls* calls);

  using Context = grpc::CallbackServerContext;
  using Unary = grpc::ServerUnaryReactor;

  Unary* ServerLive(Context* context, const inference::ServerLiveRequest* request,
                    inference::ServerLiveResponse* response) override;
  Unary* ServerReady(Context* context, const inference::ServerReadyRequest* request,
                     inference::ServerReadyResponse* response) override;
  // False for a model that is known and not ready; NOT_FOUND for an unknown one.
  Unary* ModelReady(Context* context, const inference::ModelReadyRequest* request,
                    inference::ModelReadyResponse* response) override;
  Unary* ServerMetadata(Context* context, const inference::ServerMetadataRequest* request,
                        inference::ServerMetadataResponse* response) override;
  Unary* ModelMetadata(Context* context, const inference::ModelMetadataRequest* request,
                       inference::ModelMetadataResponse* response) override;
  Unary* ModelInfer(Context* context, const inference::ModelInferRequest* request,
                    inference::ModelInferResponse* response) override;
  // As ModelControl.
  Unary* RepositoryIndex(Context* context, const inference::RepositoryIndexRequest* request,
                         inference::RepositoryIndexResponse* response) override;
  Unary* RepositoryModelLoad(Context* context, const inference::RepositoryModelLoadRequest* request,
                             inference::RepositoryModelLoadResponse* response) override;
  Unary* RepositoryModelUnload(Context* context, const inference::RepositoryModelUnloadRequest* request,
                               inference::RepositoryModelUnloadResponse* response) override;

  Unary* ModelConfig(Context* context, const inference::ModelConfigRequest* request,
                     inference::ModelConfigResponse* response) override;
  Unary* ModelStatistics(Context* context, const inference::ModelStatisticsRequest* request,
                         inference::ModelStatisticsResponse* response) override;
  Unary* SystemSharedMemoryStatus(Context* context, const inference::SystemSharedMemoryStatusRequest* request,
                                  inference::SystemSharedMemoryStatusResponse* response) override;
  Unary* SystemSharedMemoryRegister(Context* context, const inference::SystemSharedMemoryRegisterRequest* request,
                                    inference::SystemSharedMemoryRegisterResponse* response) override;
  Unary* SystemSharedMemoryUnregister(Context* context, const inference::SystemSharedMemoryUnregisterRequest* request,
                                      inference::SystemSharedMemoryUnregisterResponse* response) override;
  Unary* CudaSharedMemoryStatus(Context* context, const inference::CudaSharedMemoryStatusRequest* request,
                                inference::CudaSharedMemoryStatusResponse* response) override;
  Unary* CudaSharedMemoryRegister(Context* context, const inference::CudaSharedMemoryRegisterRequest* request,
                                  inference::CudaSharedMemoryRegisterResponse* response) override;
  Unary* CudaSharedMemoryUnregister(Context* context, const inference::CudaSharedMemoryUnregisterRequest* request,
                                    inference::CudaSharedMemoryUnregisterResponse* response) override;
  Unary* TraceSetting(Context* context, const inference::TraceSettingRequest* request,
                      inference::TraceSettingResponse* response) override;
  Unary* LogSettings(Context* context, const inference::LogSettingsRequest* request,
                     inference::LogSettingsResponse* response) override;

  // Every stream answers what it read and ends with UNAVAILABLE. Does not wait.
  void Drain() { streams_.Drain(); }

  // Calls of ModelInfer: all that are open, and of them those that have come since the lifecycle refuses work.
  OpenCalls& infer_calls() { return infer_calls_; }
  LateCalls<InferCall>& late_calls() { return late_calls_; }

 private:
  // Gives every method a handler that takes bounded requests; ModelStreamInfer is InferStreams'.
  void BoundRequests();
  shared_memory::RegionRegistry* regions() { return options_.shared_memory ? &regions_ : nullptr; }

  const Options options_;
  const repository::ModelRepository* const repository_;
  const Lifecycle* const lifecycle_;
  shared_memory::RegionRegistry regions_;
  RequestBudget budget_;
  const InferContext infer_context_;
  InferStreams streams_;
  OpenCalls infer_calls_;
  LateCalls<InferCall> late_calls_;
  const ModelControl control_;
};

}  // namespace stillwave::service
