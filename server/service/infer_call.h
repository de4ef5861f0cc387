// One ModelInfer: decode, validate, queue, encode.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "inference/open_inference_grpc.pb.h"
#include "server/batching/inference_task.h"
#include "server/metrics/server_metrics.h"
#include "server/repository/model_repository.h"
#include "server/service/lifecycle.h"
#include "server/service/open_calls.h"
#include "server/service/tensor_codec.h"

namespace stillwave::service {

// Deletes itself when gRPC is done with the call. The request's bytes are the worker's input: they are not copied, and
// live until Finish, which comes after the task's `done`.
class InferCall final : public grpc::ServerUnaryReactor {
 public:
  InferCall(grpc::CallbackServerContext* context, const inference::ModelInferRequest* request,
            inference::ModelInferResponse* response, const metrics::ServerMetrics* metrics, OpenCalls* calls);

  // Call once. Answers at once or when a worker has.
  void Start(const repository::ModelRepository& repository, const Lifecycle& lifecycle);

  void OnCancel() override { cancelled_->store(true, std::memory_order_relaxed); }
  void OnDone() override { delete this; }

 private:
  absl::Status FindModel(const repository::ModelRepository& repository, const Lifecycle& lifecycle);
  absl::Status Submit(const repository::ModelRepository& repository, const Lifecycle& lifecycle);
  void Answer(batching::InferenceResult result);
  void End(const absl::Status& status);

  const OpenCall open_;  // first, so that it ends last
  grpc::CallbackServerContext* const context_;
  const inference::ModelInferRequest* const request_;
  inference::ModelInferResponse* const response_;
  const absl::Time start_;
  const std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
  const metrics::ModelMetrics* metrics_;  // the model's own, once it is known
  std::shared_ptr<const repository::ServedModel> model_;
  DecodedInputs decoded_;
  std::vector<size_t> outputs_;
};

}  // namespace stillwave::service
