// What the program's exit status means, and how an error finds its exit status and its line on standard error.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace stillwave::client {

// Scripts rely on these numbers; `stillwave --help` prints them.
enum class ExitCode {
  kOk = 0,
  kNotReady = 1,       // the server or the model is not ready
  kUsage = 2,          // a wrong or missing option
  kUnreachable = 3,    // no connection to the server
  kRefused = 4,        // the server answered with an error
  kBadInput = 5,       // a file that cannot be read or does not fit the model
  kInterrupted = 130,  // Ctrl-C
};

// An error that ends the program with `code`. A status without the mark came from the server: kRefused.
absl::Status MakeError(ExitCode code, absl::string_view message);
inline absl::Status UsageError(absl::string_view message) { return MakeError(ExitCode::kUsage, message); }
inline absl::Status BadInputError(absl::string_view message) { return MakeError(ExitCode::kBadInput, message); }

// kOk for an OK status.
ExitCode ExitCodeOf(const absl::Status& status);

// "stillwave: <what>: <why>", one line without control characters and without the line's end. `command` is the "what"
// of errors that do not bring their own (a file's name, a server's address). Refusals show the gRPC code's name.
// REQUIRES: !error.ok().
std::string ErrorLine(absl::string_view command, const absl::Status& error);

}  // namespace stillwave::client
