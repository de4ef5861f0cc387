#include "server/service/server_credentials.h"

namespace stillwave::service {

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials() { return grpc::InsecureServerCredentials(); }

}  // namespace stillwave::service
