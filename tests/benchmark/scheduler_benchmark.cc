// What the scheduler costs: from Submit to `done` with a runner that does next to nothing.
//
//   cmake --preset release && cmake --build --preset release --target scheduler_benchmark
//   build/release/bin/scheduler_benchmark
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "server/batching/batch_scheduler.h"
#include "server/metrics/server_metrics.h"
#include "server/tensor/tensor.h"

namespace stillwave::batching {
namespace {

// {N, 1} -> {N, 1}, the values themselves.
class Copier final : public model::BatchRunner {
 public:
  absl::Status Run(execution::ExecutionContext&, absl::Span<const tensor::TensorView> inputs,
                   absl::Span<const tensor::MutableTensorView> outputs) const override {
    const absl::Span<const float> from = inputs[0].values<float>();
    std::copy(from.begin(), from.end(), outputs[0].values<float>().begin());
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<tensor::Shape>> OutputShapes(absl::Span<const tensor::Shape> input_shapes) const override {
    return std::vector<tensor::Shape>{input_shapes[0]};
  }
};

// Many models, of which the first gets all the tasks.
class Bench {
 public:
  Bench(int64_t models, int64_t workers) {
    BatchScheduler::Options options;
    options.workers = static_cast<int>(workers);
    scheduler_ = std::make_unique<BatchScheduler>(options);
    for (int64_t i = 0; i < models; ++i) {
      ModelQueueOptions model;
      model.name = absl::StrCat("model", i);
      model.max_batch_size = 1;
      queues_.push_back(*scheduler_->AddModel(std::make_shared<Copier>(), model, &metrics_.ForModel(model.name, "1")));
    }
  }

  // `done` gets the result when the task is answered.
  void Submit(absl::AnyInvocable<void(InferenceResult)> done, bool deadline) {
    InferenceTask task;
    task.inputs = {input_.view()};
    if (deadline) task.deadline = absl::Now() + absl::Seconds(60);
    task.done = std::move(done);
    if (!queues_[0]->Submit(std::move(task)).ok()) std::abort();
  }

 private:
  metrics::ServerMetrics metrics_;
  tensor::Tensor input_ = *tensor::Tensor::Create(tensor::DataType::kFloat32, {1, 1});
  std::vector<std::shared_ptr<ModelQueue>> queues_;
  std::unique_ptr<BatchScheduler> scheduler_;  // last: it finishes before what its tasks use goes
};

// Arguments: models, workers. One task at a time.
void RoundTrip(benchmark::State& state) {
  Bench bench(state.range(0), state.range(1));
  absl::Mutex mutex;
  for (auto _ : state) {
    bool answered = false;
    bench.Submit(
        [&](InferenceResult) {
          absl::MutexLock lock(&mutex);
          answered = true;
        },
        /*deadline=*/true);
    absl::MutexLock lock(&mutex);
    mutex.Await(absl::Condition(&answered));
  }
  state.SetItemsProcessed(state.iterations());
}

// 64 tasks are always there: each answer submits the next.
void Throughput(benchmark::State& state) {
  constexpr int kInFlight = 64, kTasks = 20'000;
  Bench bench(state.range(0), state.range(1));
  absl::Mutex mutex;
  for (auto _ : state) {
    std::atomic<int> to_submit = kTasks;
    int answered = 0;  // guarded by mutex
    std::function<void()> submit = [&] {
      if (to_submit.fetch_sub(1) <= 0) return;
      bench.Submit(
          [&](InferenceResult) {
            submit();
            absl::MutexLock lock(&mutex);
            ++answered;
          },
          /*deadline=*/true);
    };
    for (int i = 0; i < kInFlight; ++i) submit();
    const auto all_answered = [&] { return answered == kTasks; };
    absl::MutexLock lock(&mutex);
    mutex.Await(absl::Condition(&all_answered));
  }
  state.SetItemsProcessed(state.iterations() * kTasks);
}

BENCHMARK(RoundTrip)->ArgNames({"models", "workers"})->ArgsProduct({{1, 200}, {1, 2}})->MeasureProcessCPUTime();
BENCHMARK(Throughput)
    ->ArgNames({"models", "workers"})
    ->ArgsProduct({{1, 200}, {1, 2}})
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace stillwave::batching

BENCHMARK_MAIN();
