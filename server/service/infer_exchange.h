// One ModelInferRequest on its way to its ModelInferResponse: decode, validate, queue, encode. The unary call and each
// message of a stream have one.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "inference/open_inference_grpc.pb.h"
#include "server/batching/cancellation.h"
#include "server/batching/inference_task.h"
#include "server/metrics/server_metrics.h"
#include "server/repository/model_repository.h"
#include "server/service/lifecycle.h"
#include "server/service/request_budget.h"
#include "server/service/shared_tensor.h"
#include "server/service/tensor_codec.h"
#include "server/shared_memory/region_registry.h"

namespace stillwave::service {

// What all exchanges share. All of it outlives them.
struct InferContext {
  const repository::ModelRepository* repository;
  const Lifecycle* lifecycle;
  const metrics::ServerMetrics* metrics;
  RequestBudget* budget;
  const shared_memory::RegionRegistry* regions;  // null: shared memory is off
};

// The request's bytes are the worker's input: they are not copied. Not thread-safe.
class InferExchange {
 public:
  // Called exactly once: from inside Start when the request is refused or computed at once, from a thread of the
  // scheduler, or from the one that cancels. Says whether the response is filled; on an error it holds anything. The
  // exchange is no longer used then and may be destroyed from inside.
  using Done = absl::AnyInvocable<void(absl::Status)>;

  // Request and response live until `done`. The request is counted as one of `method`. What has not been computed when
  // `cancellation` is cancelled is answered with CANCELLED.
  InferExchange(const InferContext& context, metrics::Method method,
                std::shared_ptr<batching::Cancellation> cancellation, const inference::ModelInferRequest* request,
                inference::ModelInferResponse* response);
  InferExchange(const InferExchange&) = delete;
  InferExchange& operator=(const InferExchange&) = delete;

  // Call once. `deadline` is the call's own; the request may name an earlier one.
  void Start(absl::Time deadline, Done done);

 private:
  absl::Status FindModel();
  absl::Status Submit(absl::Time deadline);
  absl::Status TakeBudget();
  void Answer(batching::InferenceResult result);
  void End(absl::Status status);

  const InferContext& context_;
  const metrics::Method method_;
  const inference::ModelInferRequest* const request_;
  inference::ModelInferResponse* const response_;
  const absl::Time start_;
  const std::shared_ptr<batching::Cancellation> cancellation_;
  Done done_;
  const metrics::ModelMetrics* metrics_;  // the model's own, once it is known
  std::shared_ptr<const repository::ServedModel> model_;
  DecodedInputs decoded_;
  std::vector<size_t> outputs_;
  std::vector<int64_t> not_finite_;                  // samples that are answered with NaN
  std::vector<std::optional<SharedTensor>> places_;  // of the outputs
  RequestBudget::Share share_;
};

}  // namespace stillwave::service
