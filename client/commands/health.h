// `stillwave health`: whether the server, and a model, can answer requests.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "client/exit_code.h"
#include "client/global_options.h"

namespace stillwave::client {

struct HealthOptions {
  std::string model;  // empty: the server as a whole
};

// kOk when serving, else kNotReady.
absl::StatusOr<ExitCode> RunHealth(const GlobalOptions& global, const HealthOptions& options);

}  // namespace stillwave::client
