#include "tests/benchmark/layer_times.h"

#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "server/base/status_macros.h"
#include "server/passes/specialize.h"
#include "tests/benchmark/multiply_adds.h"
#include "tests/benchmark/statistics.h"
#include "tests/benchmark/stopwatch.h"

namespace stillwave::benchmark {
namespace {
constexpr size_t kFewestRuns = 3;
}  // namespace

absl::StatusOr<std::vector<LayerTime>> MeasureLayers(Workload& workload, double seconds) {
  const std::vector<execution::Step>& steps = workload.plan().steps();
  std::vector<double> instants(steps.size() + 1);
  std::vector<std::vector<double>> readings(steps.size());
  const auto before_step = [&](size_t step) { instants[step] = WallMicroseconds(); };
  RETURN_IF_ERROR(workload.RunChunkObserved(before_step));
  const double end = WallMicroseconds() + seconds * 1e6;
  for (size_t run = 0; run < kFewestRuns || WallMicroseconds() < end; ++run) {
    RETURN_IF_ERROR(workload.RunChunkObserved(before_step));
    for (size_t i = 0; i < steps.size(); ++i) readings[i].push_back(instants[i + 1] - instants[i]);
  }

  ASSIGN_OR_RETURN(const graph::Graph specialized,
                   passes::Specialize(workload.model().network(), workload.chunk_shapes()));
  absl::flat_hash_map<std::string, int64_t> multiply_adds = MultiplyAddsByNode(specialized);
  std::vector<LayerTime> layers;
  double sum = 0;
  for (size_t i = 0; i < steps.size(); ++i) {
    LayerTime layer;
    layer.info = steps[i].info;
    layer.median_us = Summarize(std::move(readings[i])).median;
    sum += layer.median_us;
    // A reorder is named after a value; a node's steps after the first (a copy of the output) do no arithmetic.
    if (layer.info.op != "Reorder") layer.multiply_adds = std::exchange(multiply_adds[layer.info.name], 0);
    layers.push_back(std::move(layer));
  }
  for (LayerTime& layer : layers) layer.share = sum > 0 ? layer.median_us / sum : 0;
  return layers;
}

}  // namespace stillwave::benchmark
