// `stillwave drift`: how far what a model sees has moved away from what it was trained on.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "client/exit_code.h"
#include "client/global_options.h"

namespace stillwave::client {

struct DriftOptions {
  std::string model;         // empty: the server's only one
  std::string version;       // empty: the newest that is ready
  bool heat_map = false;     // a map of all channels instead of the table
  bool reset = false;        // forget what was seen
  double watch_seconds = 0;  // 0: one report
  int64_t reports = 0;       // of watch; 0: until Ctrl-C
};

absl::StatusOr<ExitCode> RunDrift(const GlobalOptions& global, const DriftOptions& options);

}  // namespace stillwave::client
