// Standard output and the user's terminal.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace stillwave::client {

// Buffered. Thread-safe for whole calls.
void WriteOut(absl::string_view text);

// Hands what was written to the system. Usage error when standard output does not take it (a full disk).
absl::Status FlushOut();

// "stillwave: warning: <message>" on standard error.
void Warn(absl::string_view message);

}  // namespace stillwave::client
