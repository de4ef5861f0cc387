// SIGTERM and Ctrl-C: the first asks the server to stop, the second leaves at once.
#pragma once

#include <thread>

#include "absl/synchronization/notification.h"

namespace stillwave {

// REQUIRES: made before any other thread, which then inherits that these signals are blocked, and never destroyed
// before the process ends. Thread-safe.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // Until the first signal.
  void Wait() { first_.WaitForNotification(); }
  // There was one.
  bool Requested() const { return first_.HasBeenNotified(); }

 private:
  absl::Notification first_;
  std::thread thread_;
};

}  // namespace stillwave
