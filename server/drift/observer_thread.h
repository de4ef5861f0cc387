// The one thread that observes samples of all models.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/drift/drift_watch.h"
#include "server/drift/sample_bell.h"

namespace stillwave::drift {

// It has the lowest priority and takes models in turn, a sample each, so that a busy one does not keep it from the
// others. Thread-safe.
class ObserverThread {
 public:
  ObserverThread();
  // Stops.
  ~ObserverThread();
  ObserverThread(const ObserverThread&) = delete;
  ObserverThread& operator=(const ObserverThread&) = delete;

  // For the watches that are to be added.
  const std::shared_ptr<SampleBell>& bell() const { return bell_; }
  // Its samples are observed for as long as somebody else holds it.
  void Add(const std::shared_ptr<DriftWatch>& watch) ABSL_LOCKS_EXCLUDED(mutex_);

  // Ends after the sample that is being observed. May be called again, by one thread at a time.
  void Stop();

 private:
  void Work() ABSL_LOCKS_EXCLUDED(mutex_);
  // The next in turn, or null after the last one; forgets those that are gone.
  std::shared_ptr<DriftWatch> Next() ABSL_LOCKS_EXCLUDED(mutex_);
  size_t Count() const ABSL_LOCKS_EXCLUDED(mutex_);

  const std::shared_ptr<SampleBell> bell_;
  mutable absl::Mutex mutex_;
  std::vector<std::weak_ptr<DriftWatch>> watches_ ABSL_GUARDED_BY(mutex_);
  size_t next_ ABSL_GUARDED_BY(mutex_) = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace stillwave::drift
