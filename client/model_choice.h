// Which model a command means when --model is left out.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "client/stillwave_client.h"

namespace stillwave::client {

// `requested`, or the server's only ready model when that is empty. Usage error naming the models when there are
// several, or when the server cannot list them; kNotReady when none is ready.
absl::StatusOr<std::string> ChooseModel(StillwaveClient& client, const std::string& requested);

// The choice among what the server listed.
absl::StatusOr<std::string> ChooseOnlyModel(const std::vector<IndexEntry>& models);

}  // namespace stillwave::client
