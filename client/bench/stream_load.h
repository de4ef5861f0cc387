// Windows of many series through StreamWindows. Only for files that have grpc headers anyway.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/bench/call_set.h"
#include "client/bench/load_worker.h"

namespace stillwave::client::bench {

// A request is a window; its answer is the window's result. Closed loop: `options.concurrency` series, each with the
// windows of one message in flight. Open loop: `series` series, whose chunks, a window each, go out when they are due.
// Of an open loop, a second thread sends. Not thread-safe.
class StreamWorker final : public LoadWorker {
 public:
  // `index` of `options.threads`. `load.samples` outlives the worker.
  StreamWorker(const LoadOptions& options, const StreamLoad& load, int index, const Channels& channels);
  ~StreamWorker() override;

  // Opens the series. The server's status when it refuses one.
  absl::Status Prepare() override;
  void Run(LoadPlan* plan, LoadRecorder* recorder) override;

 private:
  // For SendOnSchedule.
  bool SendDue(Ticket ticket, Tick due) ABSL_LOCKS_EXCLUDED(mutex_);
  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SendNextOfAll() ABSL_LOCKS_EXCLUDED(mutex_);
  // When the windows of the message before are all answered.
  void SendNext(SeriesCall* call, int64_t series) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Waits for one event of the queue, but not long.
  void HandleEvent() ABSL_LOCKS_EXCLUDED(mutex_);
  bool AllEnded() ABSL_LOCKS_EXCLUDED(mutex_);
  bool NobodyToSendTo() ABSL_LOCKS_EXCLUDED(mutex_);

  const LoadOptions options_;
  const int index_;
  grpc::CompletionQueue queue_;
  absl::Mutex mutex_;
  CallSet calls_ ABSL_GUARDED_BY(mutex_);
  bool over_ = false;  // closed loop: the plan has no more tickets
  size_t next_series_ ABSL_GUARDED_BY(mutex_) = 0;
  LoadPlan* plan_ = nullptr;
  LoadRecorder* recorder_ = nullptr;
};

}  // namespace stillwave::client::bench
