// The program's arguments as options. Only this and the *_arguments files know the argument library.
#pragma once

#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "client/commands/bench.h"
#include "client/commands/drift.h"
#include "client/commands/health.h"
#include "client/commands/infer.h"
#include "client/commands/models.h"
#include "client/commands/stream.h"
#include "client/global_options.h"

namespace stillwave::client {

// --help or --version was asked for: `text` answers it.
struct PrintText {
  std::string text;
};

struct CommandLine {
  GlobalOptions global;
  std::variant<PrintText, InferOptions, StreamOptions, ModelsOptions, HealthOptions, BenchOptions, DriftOptions>
      command;
};

// Reads the environment variable STILLWAVE_SERVER, too. Usage error naming option, rule and value.
absl::StatusOr<CommandLine> ParseCommandLine(int argc, const char* const* argv);

}  // namespace stillwave::client
