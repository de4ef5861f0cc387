#include "tests/benchmark/engine_measurement.h"

#include <algorithm>
#include <memory>

#include "server/base/status_macros.h"
#include "server/model/network_shapes.h"
#include "server/passes/specialize.h"
#include "tests/benchmark/multiply_adds.h"
#include "tests/benchmark/stopwatch.h"
#include "tests/support/allocation_counter.h"

namespace stillwave::benchmark {
namespace {

// With packed weights at hand, as for the first request of a new length.
absl::StatusOr<double> CompileMilliseconds(const Workload& workload) {
  constexpr int kTimes = 3;
  std::vector<double> readings;
  for (int i = 0; i < kTimes; ++i) {
    const double before = WallMicroseconds();
    RETURN_IF_ERROR(workload.model().CompileAnew(workload.chunk_shapes()).status());
    readings.push_back((WallMicroseconds() - before) / 1e3);
  }
  return *std::min_element(readings.begin(), readings.end());
}

absl::Status CountAllocations(Workload& workload, EngineMeasurement& result) {
  constexpr int kRuns = 10;
  const test_support::AllocationCount before = test_support::ThreadAllocations();
  for (int i = 0; i < kRuns; ++i) RETURN_IF_ERROR(workload.Run());
  const test_support::AllocationCount after = test_support::ThreadAllocations();
  result.allocations = static_cast<double>(after.allocations - before.allocations) / kRuns;
  result.allocated_bytes = static_cast<double>(after.bytes - before.bytes) / kRuns;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<EngineMeasurement> MeasureEngine(const Subject& subject, const std::string& path, int64_t batch,
                                                const MeasureOptions& options) {
  EngineMeasurement result;
  result.model = path;
  result.batch_norm = subject.model->options().batch_norm == model::BatchNormMode::kFolded ? "folded" : "primitive";
  result.precision = Name(subject.model->options().precision);
  result.load_ms = subject.load_ms;
  result.batch = batch;
  ASSIGN_OR_RETURN(const std::unique_ptr<Workload> workload, Workload::Create(subject.model, batch, options.seed));
  result.chunk = workload->chunk();
  result.shapes = workload->shapes();
  result.arena_bytes = workload->plan().arena_bytes();
  ASSIGN_OR_RETURN(const graph::Graph sample,
                   passes::Specialize(subject.model->network(), model::WithBatch(workload->shapes(), 1)));
  result.multiply_adds = batch * MultiplyAdds(sample);
  ASSIGN_OR_RETURN(result.timing, SampleRuns(options.seconds, [&] { return workload->Run(); }));
  RETURN_IF_ERROR(CountAllocations(*workload, result));
  if (options.layers) {
    ASSIGN_OR_RETURN(result.layers, MeasureLayers(*workload, options.seconds / 2));
  }
  ASSIGN_OR_RETURN(result.compile_ms, CompileMilliseconds(*workload));
  return result;
}

}  // namespace stillwave::benchmark
