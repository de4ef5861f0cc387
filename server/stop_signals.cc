#include "server/stop_signals.h"

#include <unistd.h>

#include <csignal>

#include "server/base/check.h"

namespace stillwave {
namespace {

sigset_t StopSet() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

int WaitForOne() {
  const sigset_t set = StopSet();
  int signal = 0;
  SW_CHECK(sigwait(&set, &signal) == 0);
  return signal;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = StopSet();
  SW_CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  thread_ = std::thread([this] {
    WaitForOne();
    first_.Notify();
    _exit(128 + WaitForOne());  // as a shell reports a signal
  });
  thread_.detach();
}

}  // namespace stillwave
