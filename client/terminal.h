// What a plot can count on at the place where it is shown.
#pragma once

#include "absl/strings/string_view.h"

namespace stillwave::client {

struct Terminal {
  bool interactive = false;  // a screen that can be drawn over
  bool utf8 = false;         // more than ASCII is shown
  bool color = false;
  int columns = 80;
};

// Of a file descriptor, with the environment's LC_ALL, LC_CTYPE and LANG (the first that is set says the encoding),
// TERM and NO_COLOR.
Terminal DescribeTerminal(int fd);

// True for "de_DE.UTF-8", "C.utf8".
bool NamesUtf8(absl::string_view locale);

}  // namespace stillwave::client
