// Where one thread sleeps until another one wakes it.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace stillwave::batching {

// One thread waits. It has its own mutex, so that the one who rings holds no lock that the woken thread wants.
// Thread-safe.
class Doorbell {
 public:
  void Ring() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    rung_ = true;
  }
  // Returns when it was rung since the last time; at once if that is so already.
  void Await() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&rung_));
    rung_ = false;
  }
  // Returns then or after `patience`.
  void AwaitFor(absl::Duration patience) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&rung_), patience);
    rung_ = false;
  }

 private:
  absl::Mutex mutex_;
  bool rung_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace stillwave::batching
