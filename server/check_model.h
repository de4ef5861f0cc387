// The gate that a model must pass before it is served, on its own: for pipelines that publish models.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "server/config/server_config.h"

namespace stillwave {

// Loads the model of --model, or the demonstration model, as the server would, and says in one line what was checked.
// The server's refusal, with the file's name in front, when it would not be served.
absl::StatusOr<std::string> CheckModel(const config::ServerConfig& config);

}  // namespace stillwave
