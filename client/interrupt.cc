#include "client/interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>

#include "absl/time/clock.h"
#include "client/exit_code.h"
#include "server/base/check.h"

namespace stillwave::client {
namespace {

// Reached from the signal handler: lock-free atomics and a pipe are all that it may touch.
std::atomic<bool> g_raised{false};
std::atomic<int> g_wake_write_fd{-1};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void WriteWakeByte() {
  const int saved_errno = errno;
  // A full pipe is as good as one more byte.
  [[maybe_unused]] const ssize_t written = write(g_wake_write_fd.load(), "x", 1);
  errno = saved_errno;
}

void OnSignal(int) {
  if (g_raised.exchange(true)) _exit(static_cast<int>(ExitCode::kInterrupted));
  WriteWakeByte();
}

}  // namespace

Interrupt& Interrupt::Install() {
  static Interrupt* const interrupt = new Interrupt();
  return *interrupt;
}

Interrupt::Interrupt() {
  int ends[2];
  SW_CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
  wake_read_fd_ = ends[0];
  g_wake_write_fd = ends[1];
  struct sigaction action {};
  action.sa_handler = OnSignal;
  SW_CHECK(sigaction(SIGINT, &action, nullptr) == 0);
  SW_CHECK(sigaction(SIGTERM, &action, nullptr) == 0);
}

bool Interrupt::raised() const { return g_raised.load(); }

Interrupt::Wake Interrupt::Wait(int fd, absl::Time deadline) {
  constexpr int64_t kLongestPollMillis = 3'600'000;
  while (true) {
    const int64_t left = absl::ToInt64Milliseconds(absl::Ceil(deadline - absl::Now(), absl::Milliseconds(1)));
    // The byte stays in the pipe, so that later waits end as well. poll passes over a negative fd.
    pollfd fds[2] = {{wake_read_fd_, POLLIN, 0}, {fd, POLLIN, 0}};
    const int ready = poll(fds, 2, static_cast<int>(std::clamp<int64_t>(left, 0, kLongestPollMillis)));
    if (ready < 0) {
      SW_CHECK(errno == EINTR);
      continue;
    }
    if (fds[0].revents != 0) return Wake::kWoken;
    if (fds[1].revents != 0) return Wake::kReadable;
    if (absl::Now() >= deadline) return Wake::kTimeout;
  }
}

void Interrupt::WakeUp() { WriteWakeByte(); }

void Interrupt::ForgetWakeUp() {
  char bytes[64];
  while (read(wake_read_fd_, bytes, sizeof(bytes)) > 0) {
  }
  if (raised()) WriteWakeByte();
}

}  // namespace stillwave::client
