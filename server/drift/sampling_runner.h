// A model whose computed samples are offered to a DriftWatch.
//
// Why here: requests, parts of large batches and windows of streams, those that reuse their overlap too, all end in the
// Run of what the scheduler runs, with their inputs still in memory.
#pragma once

#include <memory>
#include <vector>

#include "server/drift/drift_watch.h"
#include "server/model/batch_runner.h"

namespace stillwave::drift {

// As `runner`, in every respect. Thread-safe.
class SamplingRunner final : public model::BatchRunner {
 public:
  SamplingRunner(std::shared_ptr<const model::BatchRunner> runner, std::shared_ptr<DriftWatch> watch);

  absl::Status Run(execution::ExecutionContext& context, absl::Span<const tensor::TensorView> inputs,
                   absl::Span<const tensor::MutableTensorView> outputs) const override;
  absl::StatusOr<std::vector<tensor::Shape>> OutputShapes(absl::Span<const tensor::Shape> input_shapes) const override;
  double NewPart(absl::Span<const tensor::TensorView> inputs, int64_t row) const override;
  bool MayDivide(absl::Span<const tensor::TensorView> inputs) const override;

 private:
  const std::shared_ptr<const model::BatchRunner> runner_;
  const std::shared_ptr<DriftWatch> watch_;
};

}  // namespace stillwave::drift
