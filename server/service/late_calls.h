// Calls that come when the server takes no more: they wait until their client has been told to go elsewhere.
//
// To refuse them at once would have two faults. A client that tries again at once would find this server again, before
// it knows that it goes. And clients that go on calling meet the moment at which gRPC shuts down: what arrives just
// then, it answers with CANCELLED, which nobody tries again. A client that waits for its answer calls no more, so that
// a quiet moment comes: when all calls that are open wait here.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/service/open_calls.h"

namespace stillwave::service {

// `Call` has Start(), which refuses it now. Thread-safe.
template <typename Call>
class LateCalls {
 public:
  // True: Release starts the call. False: Release was called, start it now.
  bool Hold(Call* call) {
    absl::MutexLock lock(&mutex_);
    if (released_) return false;
    held_.push_back(call);
    return true;
  }

  // Returns when for `quiet` every call of `open` was held and no other came, after `patience` at the latest.
  void AwaitQuiet(const OpenCalls& open, absl::Duration quiet, absl::Duration patience) const {
    const absl::Time end = absl::Now() + patience;
    bool is_quiet = false;
    do {
      const int64_t before = Count();
      is_quiet = open.count() == before;
      absl::SleepFor(quiet);
      is_quiet = is_quiet && Count() == before && open.count() == before;
    } while (!is_quiet && absl::Now() < end);
  }

  void Release() {
    std::vector<Call*> calls;
    {
      absl::MutexLock lock(&mutex_);
      released_ = true;
      calls.swap(held_);
    }
    for (Call* call : calls) call->Start();
  }

 private:
  int64_t Count() const {
    absl::MutexLock lock(&mutex_);
    return static_cast<int64_t>(held_.size());
  }

  mutable absl::Mutex mutex_;
  bool released_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Call*> held_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stillwave::service
