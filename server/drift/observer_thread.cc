#include "server/drift/observer_thread.h"

#include <sys/resource.h>
#include <unistd.h>

#include <utility>

#include "server/execution/execution_context.h"

namespace stillwave::drift {
namespace {

// Beside a busy worker on the same core, about a seventieth of it.
constexpr int kLowestPriority = 19;

}  // namespace

ObserverThread::ObserverThread() : bell_(std::make_shared<SampleBell>()), thread_([this] { Work(); }) {}

ObserverThread::~ObserverThread() { Stop(); }

void ObserverThread::Add(const std::shared_ptr<DriftWatch>& watch) {
  const absl::MutexLock lock(&mutex_);
  watches_.push_back(watch);
}

void ObserverThread::Stop() {
  stopping_.store(true);
  bell_->Ring();
  if (thread_.joinable()) thread_.join();
}

size_t ObserverThread::Count() const {
  const absl::MutexLock lock(&mutex_);
  return watches_.size();
}

std::shared_ptr<DriftWatch> ObserverThread::Next() {
  const absl::MutexLock lock(&mutex_);
  while (!watches_.empty()) {
    if (next_ >= watches_.size()) next_ = 0;
    if (std::shared_ptr<DriftWatch> watch = watches_[next_].lock()) {
      ++next_;
      return watch;
    }
    watches_.erase(watches_.begin() + static_cast<std::ptrdiff_t>(next_));
  }
  return nullptr;
}

void ObserverThread::Work() {
  // On Linux each thread has a priority of its own. Where it may not be lowered, samples are observed sooner.
  (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kLowestPriority);
  execution::ExecutionContext::UseOneThread();
  execution::ExecutionContext context;
  while (true) {
    bell_->Await();
    if (stopping_.load()) return;
    // One ring is one sample of one of them, unless a reset or the end of a version took it away.
    for (size_t left = Count(); left > 0; --left) {
      const std::shared_ptr<DriftWatch> watch = Next();
      if (watch == nullptr || watch->ObserveNext(context)) break;
    }
  }
}

}  // namespace stillwave::drift
