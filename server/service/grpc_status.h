// The one place where absl::Status becomes grpc::Status.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace stillwave::service {

// The same code and message.
grpc::Status ToGrpcStatus(const absl::Status& status);

// Trailing metadata of RESOURCE_EXHAUSTED: after how many milliseconds a client may try again. A queue that is full
// moves in milliseconds; clients spread themselves around this.
inline constexpr char kRetryPushbackKey[] = "grpc-retry-pushback-ms";
inline constexpr char kRetryPushbackMilliseconds[] = "50";

}  // namespace stillwave::service
