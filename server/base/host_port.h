// Where a port is bound: host:port as flags write it.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace stillwave::base {

struct HostPort {
  std::string host;  // without brackets
  int port = 0;
};

// INVALID_ARGUMENT naming `flag` unless `address` is host:port, an IPv6 host in brackets, with a port between 0 and
// 65535.
absl::StatusOr<HostPort> ParseHostPort(absl::string_view flag, absl::string_view address);

}  // namespace stillwave::base
