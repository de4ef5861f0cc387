// One call of ModelInfer.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>

#include "absl/status/status.h"
#include "inference/open_inference_grpc.pb.h"
#include "server/batching/cancellation.h"
#include "server/service/infer_exchange.h"
#include "server/service/open_calls.h"

namespace stillwave::service {

// Deletes itself when gRPC is done with the call. gRPC keeps request and response until Finish, which comes when the
// exchange is done.
class InferCall final : public grpc::ServerUnaryReactor {
 public:
  InferCall(grpc::CallbackServerContext* context, const InferContext& shared,
            const inference::ModelInferRequest* request, inference::ModelInferResponse* response, OpenCalls* calls);

  // Call once. Answers at once or when a worker has.
  void Start();

  void OnCancel() override {
    // The call may end, and with it this object, before Cancel returns.
    const std::shared_ptr<batching::Cancellation> cancellation = cancellation_;
    cancellation->Cancel();
  }
  void OnDone() override { delete this; }

 private:
  void End(const absl::Status& status);

  const OpenCall open_;  // first, so that it ends last
  grpc::CallbackServerContext* const context_;
  const std::shared_ptr<batching::Cancellation> cancellation_ = std::make_shared<batching::Cancellation>();
  InferExchange exchange_;
};

}  // namespace stillwave::service
