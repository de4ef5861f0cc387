// One step of a benchmark on its threads.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/bench/load_plan.h"
#include "client/bench/load_result.h"
#include "client/bench/load_worker.h"
#include "client/interrupt.h"

namespace stillwave::client::bench {

struct StepProgress {
  absl::Duration elapsed;  // since the warm-up began
  int64_t ok = 0;
  int64_t errors = 0;
};

// Runs each worker on a thread of its own and calls `show` ten times a second until all are done. Ctrl-C ends the step
// early, with what it has. Errors of Prepare.
absl::StatusOr<LoadResult> RunLoad(const LoadOptions& options, const std::vector<std::unique_ptr<LoadWorker>>& workers,
                                   Interrupt* interrupt, const std::function<void(const StepProgress&)>& show);

}  // namespace stillwave::client::bench
