// The TCP connections of a benchmark. Only for files that have grpc headers anyway.
#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace stillwave::client::bench {

using Channels = std::vector<std::shared_ptr<grpc::Channel>>;

// `count` connections of their own, all of them up. kUnreachable (client/exit_code.h) when one is not within `timeout`.
absl::StatusOr<Channels> OpenConnections(const std::string& address, int count, absl::Duration timeout);

}  // namespace stillwave::client::bench
