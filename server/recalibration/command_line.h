// The command line of stillwave-recalibrate.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/recalibration/recalibrate.h"

namespace stillwave::recalibration {

// Scripts rely on these numbers; --help prints them.
enum class ExitCode {
  kOk = 0,
  kUsage = 2,     // an option that is wrong, or does not fit the model or the data
  kRefused = 4,   // the model cannot be recalibrated
  kBadInput = 5,  // a file that cannot be read, does not fit, or cannot be written
};

// Of an error that Recalibrate gave. REQUIRES: !error.ok().
ExitCode ExitCodeOf(const absl::Status& error);

struct Invocation {
  std::string print;  // not empty: print it (help, version) and leave
  bool json = false;
  RecalibrationOptions options;
};

// `arguments` come without the program's name. INVALID_ARGUMENT names the option that cannot be obeyed.
absl::StatusOr<Invocation> ParseCommandLine(absl::Span<const char* const> arguments, const std::string& version);

}  // namespace stillwave::recalibration
