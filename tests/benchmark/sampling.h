// Repeats an action for a while and times it.
#pragma once

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/benchmark/statistics.h"

namespace stillwave::benchmark {

// Microseconds per run.
struct Timing {
  Statistics wall;
  Statistics cpu;
  int64_t runs = 0;
};

// Runs `action` for `seconds` of wall time, and three times at least, after a tenth of that for warming up. Quick
// actions are run several times for one reading of the clocks. The first error ends it.
absl::StatusOr<Timing> SampleRuns(double seconds, absl::FunctionRef<absl::Status()> action);

}  // namespace stillwave::benchmark
