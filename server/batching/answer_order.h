// Answers in the order of requests, whatever order they are computed in: preserve_ordering.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

namespace stillwave::batching {

// Thread-safe.
class AnswerOrder {
 public:
  // The next place in the order. Each is left exactly once.
  uint64_t Enter();

  // Gives `answer` when all places before this one were left: from this thread, with those behind it that are due, or
  // from another that is at it. One answer at a time. `samples` count as held meanwhile.
  void Leave(uint64_t ticket, int64_t samples, absl::AnyInvocable<void()> answer) ABSL_LOCKS_EXCLUDED(mutex_);
  // Leaves the place without an answer.
  void Skip(uint64_t ticket) ABSL_LOCKS_EXCLUDED(mutex_) {
    Leave(ticket, 0, [] {});
  }

  // Samples whose answers wait for others.
  int64_t held_samples() const { return held_samples_.load(std::memory_order_relaxed); }

 private:
  struct Held {
    int64_t samples;
    absl::AnyInvocable<void()> answer;
  };

  std::atomic<uint64_t> entered_{0};
  std::atomic<int64_t> held_samples_{0};
  absl::Mutex mutex_;
  std::map<uint64_t, Held> held_ ABSL_GUARDED_BY(mutex_);
  uint64_t due_ ABSL_GUARDED_BY(mutex_) = 0;
  bool answering_ ABSL_GUARDED_BY(mutex_) = false;  // a thread is in Leave's loop
};

}  // namespace stillwave::batching
