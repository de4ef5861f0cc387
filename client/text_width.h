// Text on a terminal: how many cells it takes, and how to keep it from steering the terminal.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace stillwave::client {

// Control characters become visible escapes ("\n" as backslash and n, ESC as \x1b) and bytes that are not UTF-8
// become \xNN, so that names and messages from a server or a file stay on their line.
std::string EscapeControlCharacters(absl::string_view text);

// Cells that UTF-8 text takes: 2 for wide East Asian characters, 0 for combining marks. REQUIRES: text was escaped.
int TextWidth(absl::string_view text);

}  // namespace stillwave::client
