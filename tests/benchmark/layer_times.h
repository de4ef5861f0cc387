// How the time of a plan spreads over its steps.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "server/execution/execution_plan.h"
#include "tests/benchmark/workload.h"

namespace stillwave::benchmark {

struct LayerTime {
  execution::StepInfo info;
  double median_us = 0;       // wall time
  double share = 0;           // of the sum over all layers
  int64_t multiply_adds = 0;  // 0 where the layer has none of its own (a reorder, a pooling, …)
};

// 1e-3 is FLOP/µs to GFLOP/s; a multiply-add is two operations.
inline double GigaflopsPerSecond(int64_t multiply_adds, double microseconds) {
  return microseconds > 0 ? 2e-3 * static_cast<double>(multiply_adds) / microseconds : 0;
}

// Of a chunk of the workload's batch, over `seconds` of runs and three at least.
absl::StatusOr<std::vector<LayerTime>> MeasureLayers(Workload& workload, double seconds);

}  // namespace stillwave::benchmark
