#include "server/repository/loader_threads.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "server/base/check.h"
#include "server/execution/execution_context.h"

namespace stillwave::repository {
namespace {

// Beside a busy worker on the same core, about a tenth of it: enough that a load ends, too little to be noticed.
constexpr int kNiceness = 10;

// On Linux each thread has a priority of its own. Where it may not be lowered, loads are as fast as requests.
void LowerPriority() { (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNiceness); }

}  // namespace

LoaderThreads::LoaderThreads(int threads) {
  SW_CHECK(threads > 0);
  absl::MutexLock lock(&join_mutex_);
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

LoaderThreads::~LoaderThreads() { Stop(); }

void LoaderThreads::Run(std::string key, Job job) {
  {
    absl::MutexLock lock(&mutex_);
    if (!stopping_) {
      auto at = queue_.end();
      if (key.empty())
        at = std::find_if(queue_.begin(), queue_.end(), [](const auto& one) { return !one.key.empty(); });
      queue_.insert(at, Waiting{std::move(key), std::move(job)});
      return;
    }
  }
  std::move(job)();
}

void LoaderThreads::AwaitIdle() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &LoaderThreads::Idle));
}

void LoaderThreads::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  absl::MutexLock lock(&join_mutex_);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

bool LoaderThreads::stopping() const {
  absl::MutexLock lock(&mutex_);
  return stopping_;
}

LoaderThreads::Queue::iterator LoaderThreads::Next() {
  return std::find_if(queue_.begin(), queue_.end(), [this](const Waiting& one) {
    mutex_.AssertHeld();
    return !busy_keys_.contains(one.key);
  });
}

void LoaderThreads::Work() {
  LowerPriority();
  execution::ExecutionContext::UseOneThread();
  while (true) {
    Waiting next;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &LoaderThreads::ThreadIsNeeded));
      const auto it = Next();
      if (it == queue_.end()) return;
      next = std::move(*it);
      queue_.erase(it);
      if (!next.key.empty()) busy_keys_.insert(next.key);
      ++running_;
    }
    std::move(next.job)();
    next.job = nullptr;  // what it holds goes before the next job of this key runs
    absl::MutexLock lock(&mutex_);
    busy_keys_.erase(next.key);
    --running_;
  }
}

}  // namespace stillwave::repository
