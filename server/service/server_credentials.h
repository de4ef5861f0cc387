// How the gRPC port is secured.
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <memory>

namespace stillwave::service {

// Plain text: for loopback, or behind a mesh or proxy that encrypts.
std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials();

}  // namespace stillwave::service
