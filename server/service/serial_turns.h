// Work that follows events of any thread, done by one of them at a time.
#pragma once

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace stillwave::service {

// A turn looks at what has happened and starts what is due. It runs without the lock, because what it starts may call
// back from inside; who asks while one runs leaves, and that thread takes another. Thread-safe.
class SerialTurns {
 public:
  // Turns that were asked for before wait until now. Call once.
  template <typename Turn>
  void Begin(const Turn& turn) ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      absl::MutexLock lock(&mutex_);
      taken_ = false;
    }
    Ask(turn);
  }

  // After it returns, a turn that began after the call has ended or is another thread's.
  template <typename Turn>
  void Ask(const Turn& turn) ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      absl::MutexLock lock(&mutex_);
      if (taken_) {
        asked_again_ = true;
        return;
      }
      taken_ = true;
    }
    for (bool again = true; again;) {
      turn();
      absl::MutexLock lock(&mutex_);
      again = std::exchange(asked_again_, false);
      taken_ = again;
    }
  }

 private:
  absl::Mutex mutex_;
  bool taken_ ABSL_GUARDED_BY(mutex_) = true;  // until Begin
  bool asked_again_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace stillwave::service
