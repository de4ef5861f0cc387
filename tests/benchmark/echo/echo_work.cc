#include "tests/benchmark/echo/echo_work.h"

#include <ctime>
#include <utility>

namespace stillwave::benchmark {
namespace {

// Of this thread's CPU, so that a thread that had to wait for a core does as much as one that did not.
absl::Duration ThreadCpuTime() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return absl::DurationFromTimespec(time);
}

}  // namespace

EchoWork::EchoWork(absl::Duration duration, int workers) : duration_(duration) {
  for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { Work(); });
}

EchoWork::~EchoWork() {
  {
    absl::MutexLock lock(&mutex_);
    ended_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

void EchoWork::Spin() const {
  if (duration_ <= absl::ZeroDuration()) return;
  const absl::Duration end = ThreadCpuTime() + duration_;
  while (ThreadCpuTime() < end) {
  }
}

void EchoWork::Work() {
  while (true) {
    std::function<void()> done;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &EchoWork::IsNeeded));
      if (waiting_.empty()) return;
      done = std::move(waiting_.front());
      waiting_.pop_front();
    }
    Spin();
    done();
  }
}

}  // namespace stillwave::benchmark
