#include "server/drift/sampling_runner.h"

#include <utility>

#include "server/base/status_macros.h"

namespace stillwave::drift {

SamplingRunner::SamplingRunner(std::shared_ptr<const model::BatchRunner> runner, std::shared_ptr<DriftWatch> watch)
    : runner_(std::move(runner)), watch_(std::move(watch)) {}

absl::Status SamplingRunner::Run(execution::ExecutionContext& context, absl::Span<const tensor::TensorView> inputs,
                                 absl::Span<const tensor::MutableTensorView> outputs) const {
  RETURN_IF_ERROR(runner_->Run(context, inputs, outputs));
  watch_->Offer(inputs, [&](int64_t row) { return runner_->NewPart(inputs, row); });
  return absl::OkStatus();
}

absl::StatusOr<std::vector<tensor::Shape>> SamplingRunner::OutputShapes(
    absl::Span<const tensor::Shape> input_shapes) const {
  return runner_->OutputShapes(input_shapes);
}

double SamplingRunner::NewPart(absl::Span<const tensor::TensorView> inputs, int64_t row) const {
  return runner_->NewPart(inputs, row);
}

bool SamplingRunner::MayDivide(absl::Span<const tensor::TensorView> inputs) const { return runner_->MayDivide(inputs); }

}  // namespace stillwave::drift
