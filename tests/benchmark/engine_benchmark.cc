// What one inference of the demonstration network costs, and what batch normalization as a primitive adds to it.
//
//   cmake --preset release && cmake --build --preset release --target engine_benchmark
//   build/release/bin/engine_benchmark
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "server/execution/execution_context.h"
#include "server/model/demo_model.h"
#include "server/model/loaded_model.h"
#include "server/tensor/tensor.h"

namespace stillwave {
namespace {

using model::BatchNormMode;
using tensor::Tensor;

// Arguments: samples, time steps.
void Infer(benchmark::State& state, BatchNormMode batch_norm) {
  execution::ExecutionContext::UseOneThread();
  const auto loaded = model::LoadedModel::LoadFromBytes(model::DemoModelBytes(), {.batch_norm = batch_norm});
  if (!loaded.ok()) return state.SkipWithError(loaded.status().ToString().c_str());
  const tensor::Shape shape({state.range(0), 1, state.range(1)});
  Tensor input = *Tensor::Create(tensor::DataType::kFloat32, shape);
  for (float& value : input.mutable_values<float>()) value = 0.5F;
  const auto output_shapes = (*loaded)->OutputShapes({shape});
  if (!output_shapes.ok()) return state.SkipWithError(output_shapes.status().ToString().c_str());
  Tensor output = *Tensor::Create(tensor::DataType::kFloat32, (*output_shapes)[0]);
  execution::ExecutionContext context;
  const std::vector<tensor::TensorView> inputs = {input.view()};
  const std::vector<tensor::MutableTensorView> outputs = {output.mutable_view()};
  for (auto _ : state) {
    if (const absl::Status status = (*loaded)->Run(context, inputs, outputs); !status.ok()) {
      return state.SkipWithError(status.ToString().c_str());
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK_CAPTURE(Infer, primitive, BatchNormMode::kPrimitive)
    ->ArgsProduct({{1, 8, 32}, {128, 1024}})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Infer, folded, BatchNormMode::kFolded)
    ->ArgsProduct({{1, 8, 32}, {128, 1024}})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace stillwave

BENCHMARK_MAIN();
