#include "server/repository/repository_poller.h"

#include "server/base/check.h"

namespace stillwave::repository {

RepositoryPoller::RepositoryPoller(ModelRepository* repository, absl::Duration interval)
    : repository_(repository), interval_(interval), thread_([this] { Poll(); }) {
  SW_CHECK(interval > absl::ZeroDuration());
}

RepositoryPoller::~RepositoryPoller() {
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  thread_.join();
}

void RepositoryPoller::Poll() {
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      if (mutex_.AwaitWithTimeout(absl::Condition(&stop_), interval_)) return;
    }
    (void)repository_->Poll();  // it logs what is wrong, and the next look may succeed
  }
}

}  // namespace stillwave::repository
