// The command line of stillwave-server: every flag with help, range and default.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/config/server_config.h"

namespace stillwave::config {

// What the command line asks for.
struct Invocation {
  enum class Action {
    kServe,
    kDescribe,  // print the model and leave
    kCheck,     // say whether the model would be served, and leave
    kPrint,     // print `text` (help or version) and leave
  };
  Action action = Action::kServe;
  std::string text;
  ServerConfig config;
};

// `arguments` come without the program's name; `granted_cpus` (batching::FindCpuGrant) is the default of --workers.
// Dashes in a flag's name may stand for underscores. INVALID_ARGUMENT names the flag that cannot be obeyed.
absl::StatusOr<Invocation> ParseFlags(absl::Span<const char* const> arguments, int64_t granted_cpus);

}  // namespace stillwave::config
