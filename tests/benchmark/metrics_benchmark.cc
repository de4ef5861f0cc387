// What counting costs a request: all that a unary request of one sample, computed alone, observes on its way.
//
//   cmake --preset release && cmake --build --preset release --target metrics_benchmark
//   build/release/bin/metrics_benchmark
#include <benchmark/benchmark.h>

#include "absl/time/time.h"
#include "server/metrics/server_metrics.h"

namespace stillwave::metrics {
namespace {

ServerMetrics& Metrics() {
  static auto* const metrics = new ServerMetrics();
  return *metrics;
}

void CountOneRequest(benchmark::State& state) {
  const ModelMetrics& model = Metrics().ForModel("ecg", "1");
  const absl::Duration queued = absl::Microseconds(20), computed = absl::Microseconds(170);
  const ComputeTimes times = {absl::Microseconds(1), computed, absl::Microseconds(1)};
  for (auto _ : state) {
    model.queue_samples->Set(1);
    model.CountBatch(BatchReason::kIdle, 1);
    model.statistics->CountBatch(1, times);
    model.queue_duration->Observe(absl::ToDoubleSeconds(queued));
    model.compute_duration->Observe(absl::ToDoubleSeconds(computed));
    model.statistics->CountComputed(queued, times);
    model.queue_samples->Set(0);
    model.CountRequest(Method::kModelInfer, absl::StatusCode::kOk, queued + computed);
  }
}
// Threads share the counters, as workers do.
BENCHMARK(CountOneRequest)->ThreadRange(1, 2);

}  // namespace
}  // namespace stillwave::metrics

BENCHMARK_MAIN();
