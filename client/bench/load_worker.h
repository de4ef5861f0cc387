// One client thread's part of the load.
#pragma once

#include "absl/status/status.h"
#include "client/bench/load_plan.h"
#include "client/bench/load_recorder.h"

namespace stillwave::client::bench {

class LoadWorker {
 public:
  virtual ~LoadWorker() = default;

  // What is to be there before the clock starts, such as open series. Blocks.
  virtual absl::Status Prepare() = 0;
  // Sends as the plan says and returns when nothing is in flight any more. Call once, after Prepare.
  virtual void Run(LoadPlan* plan, LoadRecorder* recorder) = 0;
};

}  // namespace stillwave::client::bench
