#include "client/output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "client/exit_code.h"
#include "client/text_width.h"

namespace stillwave::client {

void WriteOut(absl::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

absl::Status FlushOut() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return absl::OkStatus();
  return UsageError(absl::StrCat("cannot write to standard output: ", std::strerror(errno)));
}

void Warn(absl::string_view message) {
  const std::string line = absl::StrCat("stillwave: warning: ", EscapeControlCharacters(message), "\n");
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace stillwave::client
