// Ctrl-C (SIGINT) and SIGTERM as an event that waits can be broken off by.
#pragma once

#include "absl/time/time.h"

namespace stillwave::client {

// One for the process, from the first call of Install() on: the first signal is remembered, the second one ends the
// process at once with exit status 130. Thread-safe.
class Interrupt {
 public:
  static Interrupt& Install();

  bool raised() const;

  enum class Wake { kReadable, kTimeout, kWoken };
  // Blocks until `fd` has something to read (or is at its end), `deadline` has passed, a signal came, or WakeUp was
  // called. fd -1: nothing to read.
  Wake Wait(int fd, absl::Time deadline);

  // Ends the current Wait and all that follow, until ForgetWakeUp, which a signal outlasts.
  void WakeUp();
  void ForgetWakeUp();

 private:
  Interrupt();

  int wake_read_fd_ = -1;
};

}  // namespace stillwave::client
