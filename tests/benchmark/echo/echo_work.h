// What an echo server does between request and answer: nothing, or a stand-in for an inference.
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace stillwave::benchmark {

// Runs work that takes `duration` of a core, then `done`: on the thread that received the request, or, with `workers`,
// on one of these threads. Thread-safe.
class EchoWork {
 public:
  EchoWork(absl::Duration duration, int workers);
  // REQUIRES: all that was given to Do is done.
  ~EchoWork();
  EchoWork(const EchoWork&) = delete;
  EchoWork& operator=(const EchoWork&) = delete;

  template <typename Done>
  void Do(Done done) ABSL_LOCKS_EXCLUDED(mutex_) {
    if (threads_.empty()) {
      Spin();
      done();
      return;
    }
    absl::MutexLock lock(&mutex_);
    waiting_.emplace_back(std::move(done));
  }

 private:
  void Spin() const;
  void Work() ABSL_LOCKS_EXCLUDED(mutex_);
  bool IsNeeded() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ended_ || !waiting_.empty(); }

  const absl::Duration duration_;
  absl::Mutex mutex_;
  std::deque<std::function<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace stillwave::benchmark
