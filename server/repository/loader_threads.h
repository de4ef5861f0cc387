// The threads that load and free models, so that neither workers nor gRPC's threads ever do.
#pragma once

#include <deque>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

namespace stillwave::repository {

// They run at a lower priority than the workers: a load takes what serving leaves over. Thread-safe.
class LoaderThreads {
 public:
  using Job = absl::AnyInvocable<void()>;

  // REQUIRES: threads > 0.
  explicit LoaderThreads(int threads);
  // Stops.
  ~LoaderThreads();
  LoaderThreads(const LoaderThreads&) = delete;
  LoaderThreads& operator=(const LoaderThreads&) = delete;

  // Runs the job on one of the threads. Jobs of one key run one after another, in the order in which they came; those
  // of the key "" run as soon as a thread is free, before all others. After Stop it runs here and now.
  void Run(std::string key, Job job) ABSL_LOCKS_EXCLUDED(mutex_);

  // Blocks until no job runs or waits. REQUIRES: not called from a job.
  void AwaitIdle() ABSL_LOCKS_EXCLUDED(mutex_);

  // From now on stopping() is true: a job asks it, and ends early. Runs the jobs that wait, which is quick then, and
  // ends the threads. May be called again. REQUIRES: not called from a job.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_, join_mutex_);
  bool stopping() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Waiting {
    std::string key;
    Job job;
  };
  using Queue = std::deque<Waiting>;

  void Work() ABSL_LOCKS_EXCLUDED(mutex_);
  // The first job that may run now.
  Queue::iterator Next() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Named conditions.
  bool ThreadIsNeeded() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return Next() != queue_.end() || (stopping_ && queue_.empty());
  }
  bool Idle() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return queue_.empty() && running_ == 0; }

  mutable absl::Mutex mutex_;
  Queue queue_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> busy_keys_ ABSL_GUARDED_BY(mutex_);
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  absl::Mutex join_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(join_mutex_);
};

}  // namespace stillwave::repository
