// Many series that send their samples at the pace at which a sensor takes them. Only for files that have grpc headers
// anyway.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <queue>
#include <vector>

#include "absl/types/span.h"
#include "client/bench/call_set.h"
#include "client/bench/load_worker.h"
#include "client/bench/sample_ring.h"

namespace stillwave::client::bench {

// An open loop: a chunk goes out when its last sample would have been taken, whatever the server does. Series begin at
// times spread over a hop, so that neither their chunks nor their windows come at once. A request is a window; it is
// due with the chunk that has its last sample. One thread. Not thread-safe.
class PacedWorker final : public LoadWorker {
 public:
  // `index` of `options.threads`. `load.samples` and `ring` outlive the worker.
  // REQUIRES: options.sample_rate > 0, options.chunk_samples > 0.
  PacedWorker(const LoadOptions& options, const StreamLoad& load, const SampleRing* ring, int index,
              const Channels& channels);
  ~PacedWorker() override { calls_.ShutDown(); }

  absl::Status Prepare() override { return calls_.AwaitOpened(options_.timeout); }
  void Run(LoadPlan* plan, LoadRecorder* recorder) override;

 private:
  struct NextChunk {
    Tick due = 0;
    size_t series = 0;  // of calls_.series()
  };
  struct Later {
    bool operator()(const NextChunk& a, const NextChunk& b) const { return a.due > b.due; }
  };

  // When chunk `number` of a series is due, from the start on.
  Tick DueAfter(size_t series, int64_t number) const;
  // Sends what is due; false when the plan is over.
  bool SendDue(LoadPlan* plan, LoadRecorder* recorder);
  void SendChunk(const NextChunk& chunk, LoadPlan* plan, LoadRecorder* recorder);

  const LoadOptions options_;
  const StreamLoad load_;
  const SampleRing* const ring_;
  const int index_;
  grpc::CompletionQueue queue_;
  CallSet calls_;
  std::vector<int64_t> chunks_sent_;  // by series
  std::priority_queue<NextChunk, std::vector<NextChunk>, Later> next_;
  std::vector<PendingRequest> windows_;  // of one chunk; kept for its memory
};

}  // namespace stillwave::client::bench
