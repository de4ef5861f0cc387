// The rights that a new file has.
#pragma once

#include <sys/stat.h>

namespace stillwave::base {

// What open() would give: mkstemp makes files that only their owner can read. Not thread-safe: the mask can only be
// read by setting it.
inline mode_t NewFileMode() {
  const mode_t mask = umask(0);
  umask(mask);
  return 0666 & ~mask;
}

}  // namespace stillwave::base
