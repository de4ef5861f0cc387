// Looks at the model repository again and again.
#pragma once

#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/repository/model_repository.h"

namespace stillwave::repository {

// From construction to destruction, which does not wait for the next look. Thread-safe.
class RepositoryPoller {
 public:
  // `repository` outlives the poller. REQUIRES: interval > 0, and as ModelRepository::Poll.
  RepositoryPoller(ModelRepository* repository, absl::Duration interval);
  ~RepositoryPoller();
  RepositoryPoller(const RepositoryPoller&) = delete;
  RepositoryPoller& operator=(const RepositoryPoller&) = delete;

 private:
  void Poll();

  ModelRepository* const repository_;
  const absl::Duration interval_;
  absl::Mutex mutex_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses the members above
};

}  // namespace stillwave::repository
