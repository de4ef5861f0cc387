// Counts the calls that are not done, so that the server can leave when the last one is.
//
// gRPC's own Shutdown waits for connections, not for calls: a client that idles without looking at its socket would
// hold it for seconds.
#pragma once

#include <atomic>
#include <cstdint>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace stillwave::service {

// Thread-safe.
class OpenCalls {
 public:
  // Blocks until no call is open, for at most `patience`; false when some still are.
  bool AwaitNone(absl::Duration patience) {
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&IsZero, &open_), patience);
  }

  int64_t count() const { return open_.load(); }

 private:
  friend class OpenCall;
  static bool IsZero(std::atomic<int64_t>* open) { return open->load() == 0; }

  std::atomic<int64_t> open_{0};
  absl::Mutex mutex_;  // guards nothing: letting go of it wakes who waits
};

// A member of each reactor: the call is open as long as it lives.
class OpenCall {
 public:
  // `calls` outlives it.
  explicit OpenCall(OpenCalls* calls) : calls_(calls) { calls_->open_.fetch_add(1); }
  ~OpenCall() {
    if (calls_->open_.fetch_sub(1) == 1) absl::MutexLock lock(&calls_->mutex_);
  }
  OpenCall(const OpenCall&) = delete;
  OpenCall& operator=(const OpenCall&) = delete;

 private:
  OpenCalls* const calls_;
};

}  // namespace stillwave::service
