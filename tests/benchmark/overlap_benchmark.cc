// Windows of a series one after the other: each in full, and with what it shares with the one before kept. And windows
// of many series in turn, as they come together in batches: one of each, so that nothing of a series is in the caches.
//
//   cmake --preset release && cmake --build --preset release --target overlap_benchmark
//   build/release/bin/overlap_benchmark      # the models beside the tests, and those of the larger set
//   build/release/bin/overlap_benchmark --benchmark_filter=fcn
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/metrics/server_metrics.h"
#include "server/model/loaded_model.h"
#include "server/overlap/overlap_runner.h"
#include "tests/support/network_builder.h"
#include "tests/support/ref_tensor.h"
#include "tests/support/test_models.h"

namespace stillwave::overlap {
namespace {

using tensor::Shape;
using tensor::Tensor;

constexpr int64_t kHop = 16;

// A network whose input takes windows of any length, and one series.
class Subject {
 public:
  Subject(const std::string& file, int64_t length) : model_(*model::LoadedModel::Load(file, {})) {
    window_ = model_->sample_shapes()[0];
    window_[window_.rank() - 1] = length;
    samples_ = test_support::ToTensor(test_support::RandomTensor(window_, /*seed=*/1));
    const std::vector<Shape> shapes = *model_->OutputShapes({window_});
    for (const Shape& shape : shapes) {
      outputs_.push_back(*Tensor::Create(tensor::DataType::kFloat32, shape));
      views_.push_back(outputs_.back().mutable_view());
    }
  }

  const std::shared_ptr<const model::LoadedModel>& model() const { return model_; }
  const Shape& window() const { return window_; }

  bool Run(const model::BatchRunner& runner, const Tensor* ticket) {
    std::vector<tensor::TensorView> inputs = {samples_.view()};
    if (ticket != nullptr) inputs.push_back(ticket->view());
    return runner.Run(context_, inputs, views_).ok();
  }

 private:
  const std::shared_ptr<const model::LoadedModel> model_;
  Shape window_;
  Tensor samples_;
  std::vector<Tensor> outputs_;
  std::vector<tensor::MutableTensorView> views_;
  execution::ExecutionContext context_;
};

void FullWindows(benchmark::State& state, const std::string& file, int64_t length) {
  Subject subject(file, length);
  for (auto _ : state) {
    if (!subject.Run(*subject.model(), nullptr)) std::abort();
  }
  state.SetItemsProcessed(state.iterations());
}

// The same samples in every window: what is computed does not depend on their values.
void ReusedWindows(benchmark::State& state, const std::string& file, int64_t length) {
  Subject subject(file, length);
  metrics::ServerMetrics metrics;
  const OverlapRunner runner(subject.model(), &metrics.ForModel("model", "1"), {.verify_tolerance = 1e9F});
  const auto series = runner.Open(subject.window(), kHop);
  if (!series.ok()) {
    state.SkipWithError(std::string(series.status().message()).c_str());
    return;
  }
  int64_t first_sample = 0;
  // What compiles plans, and what is always verified.
  for (int i = 0; i < 4; ++i, first_sample += kHop) {
    const Tensor ticket = (*series)->Tickets(first_sample);
    if (!subject.Run(runner, &ticket)) std::abort();
  }
  for (auto _ : state) {
    const Tensor ticket = (*series)->Tickets(first_sample);
    if (!subject.Run(runner, &ticket)) std::abort();
    first_sample += kHop;
  }
  state.SetItemsProcessed(state.iterations());
  state.SetLabel(absl::StrCat(100 * (*series)->plan().share, " % of the work"));
}

// `count` series in turn, 32 windows to a batch. Items are windows: next to ReusedWindows, what many slow series cost
// beside one fast one.
void ManySeries(benchmark::State& state, const std::string& file, int64_t length, int64_t count) {
  constexpr int64_t kBatch = 32;
  const auto model = *model::LoadedModel::Load(file, {});
  Shape window = model->sample_shapes()[0];
  window[0] = kBatch;
  window[window.rank() - 1] = length;
  const Tensor samples = test_support::ToTensor(test_support::RandomTensor(window, /*seed=*/1));
  std::vector<Tensor> outputs;
  std::vector<tensor::MutableTensorView> views;
  const std::vector<Shape> shapes = *model->OutputShapes({window});
  for (const Shape& shape : shapes) {
    outputs.push_back(*Tensor::Create(tensor::DataType::kFloat32, shape));
    views.push_back(outputs.back().mutable_view());
  }
  window[0] = 1;
  metrics::ServerMetrics metrics;
  const OverlapRunner runner(model, &metrics.ForModel("model", "1"),
                             {.max_kept_bytes = int64_t{8} << 30, .verify_share = 0, .verify_tolerance = 1e9F});
  std::vector<std::unique_ptr<SeriesReuse>> series;
  for (int64_t i = 0; i < count; ++i) {
    auto opened = runner.Open(window, kHop);
    if (!opened.ok()) {
      state.SkipWithError(std::string(opened.status().message()).c_str());
      return;
    }
    series.push_back(*std::move(opened));
  }
  execution::ExecutionContext context;
  int64_t round = 0;
  size_t next = 0;
  const int64_t numbers = series[0]->Tickets(0).shape()[1];
  const auto run_batch = [&] {
    Tensor tickets = *Tensor::Create(tensor::DataType::kInt64, {kBatch, numbers});
    for (int64_t r = 0; r < kBatch; ++r) {
      const Tensor ticket = series[next]->Tickets(round * kHop);
      std::copy_n(ticket.values<int64_t>().data(), numbers, tickets.mutable_values<int64_t>().data() + numbers * r);
      if (++next < series.size()) continue;
      next = 0;
      ++round;
    }
    if (!runner.Run(context, {samples.view(), tickets.view()}, views).ok()) std::abort();
  };
  while (round < 2) run_batch();
  for (auto _ : state) run_batch();
  state.SetItemsProcessed(state.iterations() * kBatch);
  state.counters["us_a_window"] = benchmark::Counter(static_cast<double>(state.iterations() * kBatch) / 1e6,
                                                     benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void Register() {
  for (const test_support::TestModel& model : test_support::PromisedModels()) {
    if (model.name != "seed_block" && model.name != "fcn" && model.name != "resnet" && model.name != "tcn" &&
        model.name != "inception_time") {
      continue;
    }
    for (const int64_t length : {256, 1024}) {
      const std::string of = absl::StrCat(model.name, "/window:", length, "/hop:", kHop);
      benchmark::RegisterBenchmark(absl::StrCat("full/", of).c_str(), FullWindows, model.model_file, length)
          ->Unit(benchmark::kMicrosecond);
      benchmark::RegisterBenchmark(absl::StrCat("reused/", of).c_str(), ReusedWindows, model.model_file, length)
          ->Unit(benchmark::kMicrosecond);
      for (const int64_t series : {32, 512}) {
        benchmark::RegisterBenchmark(absl::StrCat("series:", series, "/", of).c_str(), ManySeries, model.model_file,
                                     length, series)
            ->Unit(benchmark::kMicrosecond);
      }
    }
  }
}

}  // namespace
}  // namespace stillwave::overlap

int main(int argc, char** argv) {
  stillwave::overlap::Register();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
