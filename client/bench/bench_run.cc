#include "client/bench/bench_run.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <thread>

#include "absl/time/clock.h"
#include "client/bench/load_recorder.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"

namespace stillwave::client::bench {
namespace {

constexpr absl::Duration kShowInterval = absl::Milliseconds(100);

// Becomes readable when the last of `count` has said that it is done. Thread-safe.
class AllDone {
 public:
  explicit AllDone(size_t count) : left_(count), fd_(eventfd(0, EFD_CLOEXEC)) { SW_CHECK(fd_ >= 0); }
  ~AllDone() { close(fd_); }
  AllDone(const AllDone&) = delete;
  AllDone& operator=(const AllDone&) = delete;

  int fd() const { return fd_; }
  void OneIsDone() {
    if (left_.fetch_sub(1) == 1) SW_CHECK(eventfd_write(fd_, 1) == 0);
  }

 private:
  std::atomic<size_t> left_;
  const int fd_;
};

StepProgress ProgressOf(const std::deque<LoadRecorder>& recorders, Tick start) {
  StepProgress progress{.elapsed = absl::Nanoseconds(Now() - start)};
  for (const LoadRecorder& recorder : recorders) {
    progress.ok += recorder.ok_so_far();
    progress.errors += recorder.errors_so_far();
  }
  return progress;
}

}  // namespace

absl::StatusOr<LoadResult> RunLoad(const LoadOptions& options, const std::vector<std::unique_ptr<LoadWorker>>& workers,
                                   Interrupt* interrupt, const std::function<void(const StepProgress&)>& show) {
  for (const auto& worker : workers) RETURN_IF_ERROR(worker->Prepare());
  LoadPlan plan(options, Now());
  std::deque<LoadRecorder> recorders;
  AllDone done(workers.size());
  std::vector<std::thread> threads;
  for (const auto& worker : workers) {
    LoadRecorder* const recorder = &recorders.emplace_back(&plan, options.deadline);
    threads.emplace_back([&plan, &done, recorder, load = worker.get()] {
      load->Run(&plan, recorder);
      done.OneIsDone();
    });
  }
  while (!plan.interrupted()) {
    const Interrupt::Wake wake = interrupt->Wait(done.fd(), absl::Now() + kShowInterval);
    // A signal that came while the last answer did ends the benchmark all the same.
    if (wake == Interrupt::Wake::kReadable) break;
    if (wake == Interrupt::Wake::kWoken) plan.Interrupt();
    show(ProgressOf(recorders, plan.start()));
  }
  for (std::thread& thread : threads) thread.join();
  LoadResult result;
  for (LoadRecorder& recorder : recorders) result.Merge(recorder.Finish());
  return result;
}

}  // namespace stillwave::client::bench
