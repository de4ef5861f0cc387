// The repository's calls of the Open Inference Protocol: RepositoryIndex, RepositoryModelLoad, RepositoryModelUnload.
#pragma once

#include <grpcpp/support/server_callback.h>

#include "inference/open_inference_grpc.pb.h"
#include "server/repository/model_repository.h"
#include "server/service/lifecycle.h"
#include "server/service/open_calls.h"

namespace stillwave::service {

// Each answers when what it asks for is done; none blocks a thread of gRPC. The pointers outlive the call.
class ModelControl {
 public:
  using Unary = grpc::ServerUnaryReactor;

  ModelControl(repository::ModelRepository* repository, const Lifecycle* lifecycle, OpenCalls* calls)
      : repository_(repository), lifecycle_(lifecycle), calls_(calls) {}

  // INVALID_ARGUMENT for a repository_name: there is one repository.
  Unary* Index(const inference::RepositoryIndexRequest& request, inference::RepositoryIndexResponse* response) const;
  // As ModelRepository::Load. INVALID_ARGUMENT for a parameter that is not known or has the wrong type, UNIMPLEMENTED
  // for one that is known elsewhere and not here, UNAVAILABLE when the server is draining.
  Unary* Load(const inference::RepositoryModelLoadRequest& request) const;
  // As ModelRepository::Unload; errors of the request as Load.
  Unary* Unload(const inference::RepositoryModelUnloadRequest& request) const;

 private:
  repository::ModelRepository* const repository_;
  const Lifecycle* const lifecycle_;
  OpenCalls* const calls_;
};

}  // namespace stillwave::service
