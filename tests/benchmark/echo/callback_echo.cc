#include <grpcpp/grpcpp.h>

#include <chrono>
#include <utility>

#include "inference/open_inference_grpc.grpc.pb.h"
#include "server/base/status_macros.h"
#include "tests/benchmark/echo/echo_server.h"
#include "tests/benchmark/echo/echo_work.h"
#include "tests/benchmark/echo/listening.h"

namespace stillwave::benchmark {
namespace {

class CallbackService final : public inference::GRPCInferenceService::CallbackService {
 public:
  CallbackService(const EchoModel* model, EchoWork* work) : model_(model), work_(work) {}

  grpc::ServerUnaryReactor* ModelInfer(grpc::CallbackServerContext* context,
                                       const inference::ModelInferRequest* request,
                                       inference::ModelInferResponse* response) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    work_->Do([this, reactor, request, response] {
      model_->Answer(*request, response);
      reactor->Finish(grpc::Status::OK);
    });
    return reactor;
  }
  grpc::ServerUnaryReactor* ModelMetadata(grpc::CallbackServerContext* context,
                                          const inference::ModelMetadataRequest* request,
                                          inference::ModelMetadataResponse* response) override {
    return Answer(context, *request, response);
  }
  grpc::ServerUnaryReactor* RepositoryIndex(grpc::CallbackServerContext* context,
                                            const inference::RepositoryIndexRequest* request,
                                            inference::RepositoryIndexResponse* response) override {
    return Answer(context, *request, response);
  }

 private:
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, const Request& request, Response* response) {
    model_->Answer(request, response);
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  const EchoModel* const model_;
  EchoWork* const work_;
};

class CallbackEcho final : public EchoServer {
 public:
  CallbackEcho(const EchoOptions& options, const EchoModel* model)
      : work_(options.work, options.workers), service_(model, &work_) {}
  ~CallbackEcho() override {
    if (listening_.server == nullptr) return;
    listening_.server->Shutdown(std::chrono::system_clock::now());
    listening_.server->Wait();
  }

  absl::Status Bind(const std::string& address) {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    ASSIGN_OR_RETURN(listening_, Listen(builder, address));
    return absl::OkStatus();
  }
  const std::string& address() const override { return listening_.address; }

 private:
  EchoWork work_;
  CallbackService service_;
  Listening listening_;  // last: it calls the service until it is gone
};

}  // namespace

absl::StatusOr<std::unique_ptr<EchoServer>> StartCallbackEcho(const EchoOptions& options, const EchoModel* model) {
  auto server = std::make_unique<CallbackEcho>(options, model);
  RETURN_IF_ERROR(server->Bind(options.address));
  return server;
}

}  // namespace stillwave::benchmark
