// The calls of StreamWindows of one client thread, with their series. Only for files that have grpc headers anyway.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "client/bench/connections.h"
#include "client/bench/load_input.h"
#include "client/bench/load_plan.h"
#include "client/bench/series_call.h"

namespace stillwave::client::bench {

struct StreamLoad {
  std::string model;
  std::string version;
  int64_t series = 1;           // in all threads
  int64_t series_per_call = 1;  // neighbours share a call of StreamWindows
  const SeriesSamples* samples = nullptr;
};

// A call, and which series of it.
using SeriesPlace = std::pair<SeriesCall*, int64_t>;

// Not thread-safe, but for the queue itself.
class CallSet {
 public:
  // Starts the part of the calls that belongs to thread `index` of `threads`: whole calls are dealt out in turns.
  // `load.samples` and `queue` outlive the object.
  CallSet(const StreamLoad& load, int index, int threads, const Channels& channels, grpc::CompletionQueue* queue);

  // The next event of a queue, or null when none came until `until`.
  static const SeriesEvent* Await(grpc::CompletionQueue* queue, Tick until);
  // The place whose window was answered, or {null, -1}.
  SeriesPlace Handle(const SeriesEvent& event);

  // Blocks until all series are open. The server's status when it refuses one; DEADLINE_EXCEEDED.
  absl::Status AwaitOpened(absl::Duration timeout);
  void SetRecorder(LoadRecorder* recorder);
  void HangUp();
  void CancelAll();
  bool AllEnded() const;
  int64_t in_flight() const;
  // Cancels what has not ended, waits for it, and shuts the queue down. Nothing else may be called any more.
  void ShutDown();

  const std::vector<SeriesPlace>& series() const { return series_; }

 private:
  grpc::CompletionQueue* const queue_;
  std::vector<std::unique_ptr<SeriesCall>> calls_;
  std::vector<SeriesPlace> series_;
};

}  // namespace stillwave::client::bench
