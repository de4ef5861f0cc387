#include "client/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace stillwave::client {
namespace {

constexpr int kFewestColumns = 21;
constexpr int kMostColumns = 1000;

absl::string_view Environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? absl::string_view() : absl::string_view(value);
}

absl::string_view LocaleName() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (const absl::string_view locale = Environment(name); !locale.empty()) return locale;
  }
  return "";
}

}  // namespace

bool NamesUtf8(absl::string_view locale) {
  const std::string name = absl::AsciiStrToLower(locale);
  return absl::StrContains(name, "utf-8") || absl::StrContains(name, "utf8");
}

Terminal DescribeTerminal(int fd) {
  Terminal terminal;
  const bool dumb = Environment("TERM") == "dumb";
  terminal.interactive = isatty(fd) == 1 && !dumb;
  terminal.utf8 = NamesUtf8(LocaleName()) && !dumb;
  terminal.color = terminal.interactive && Environment("NO_COLOR").empty();
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    terminal.columns = std::clamp<int>(size.ws_col, kFewestColumns, kMostColumns);
  }
  return terminal;
}

}  // namespace stillwave::client
