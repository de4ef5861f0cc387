// A BatchRunner that does what another one does: for those of a test that differ from it in one respect.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "server/model/batch_runner.h"

namespace stillwave::test_support {

class ForwardingRunner : public model::BatchRunner {
 public:
  explicit ForwardingRunner(std::shared_ptr<const model::BatchRunner> runner) : runner_(std::move(runner)) {}

  absl::Status Run(execution::ExecutionContext& context, absl::Span<const tensor::TensorView> inputs,
                   absl::Span<const tensor::MutableTensorView> outputs) const override {
    return runner_->Run(context, inputs, outputs);
  }
  absl::StatusOr<std::vector<tensor::Shape>> OutputShapes(absl::Span<const tensor::Shape> inputs) const override {
    return runner_->OutputShapes(inputs);
  }
  double NewPart(absl::Span<const tensor::TensorView> inputs, int64_t row) const override {
    return runner_->NewPart(inputs, row);
  }
  bool MayDivide(absl::Span<const tensor::TensorView> inputs) const override { return runner_->MayDivide(inputs); }

 private:
  const std::shared_ptr<const model::BatchRunner> runner_;
};

}  // namespace stillwave::test_support
