// `stillwave models`: what the server has, with inputs and outputs.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/exit_code.h"
#include "client/global_options.h"

namespace stillwave::client {

struct ModelsOptions {
  std::vector<std::string> names;  // empty: all
};

absl::StatusOr<ExitCode> RunModels(const GlobalOptions& global, const ModelsOptions& options);

}  // namespace stillwave::client
