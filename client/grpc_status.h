// gRPC's status as ours. Only for files that have grpc headers anyway.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace stillwave::client {

// Both number their codes alike; the message is kept. Unmarked, so that it ends the program with kRefused.
inline absl::Status FromGrpcStatus(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

}  // namespace stillwave::client
