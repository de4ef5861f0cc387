// Everything that is measured of one model at one batch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tensor/shape.h"
#include "tests/benchmark/layer_times.h"
#include "tests/benchmark/sampling.h"
#include "tests/benchmark/workload.h"

namespace stillwave::benchmark {

struct EngineMeasurement {
  std::string model;
  std::string batch_norm;
  std::string precision;
  int64_t batch = 0;
  int64_t chunk = 0;
  std::vector<tensor::Shape> shapes;  // of the inputs
  double load_ms = 0;
  double compile_ms = 0;  // a plan for one more shape: weights are packed already
  Timing timing;          // of an inference of the whole batch
  int64_t multiply_adds = 0;
  double allocations = 0;  // per inference
  double allocated_bytes = 0;
  size_t arena_bytes = 0;
  std::vector<LayerTime> layers;  // of a chunk; empty when not asked for

  double gigaflops_per_second() const { return GigaflopsPerSecond(multiply_adds, timing.cpu.median); }
};

struct MeasureOptions {
  double seconds = 1;  // for the whole inference; half of it again for the layers
  bool layers = true;
  uint64_t seed = 1;
};

absl::StatusOr<EngineMeasurement> MeasureEngine(const Subject& subject, const std::string& path, int64_t batch,
                                                const MeasureOptions& options);

}  // namespace stillwave::benchmark
