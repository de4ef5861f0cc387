// How far the engine's answers are from exact ones: from the same network computed in double by the reference
// interpreter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/model/loaded_model.h"
#include "server/tensor/tensor.h"

namespace stillwave::benchmark {

// Of one output over all samples.
struct OutputError {
  std::string name;
  double largest = 0;    // magnitude of the exact values
  double max_error = 0;  // magnitude of the difference
  double rms_error = 0;  // its root mean square
  // Share of rows whose largest element is the same one; only of outputs {N, classes}.
  std::optional<double> top1_agreement;

  // The usual measure of a precision: of the largest value, because single small values say nothing.
  double relative_to_largest(double error) const { return largest > 0 ? error / largest : 0; }
};

// inputs[i] is the model's input i, {N,…} FP32, the same N for all. `path` is the file that `model` was loaded from.
// INVALID_ARGUMENT when they do not fit the model. `progress` gets a line now and then: the interpreter is slow.
absl::StatusOr<std::vector<OutputError>> MeasureError(const std::string& path, const model::LoadedModel& model,
                                                      absl::Span<const tensor::Tensor> inputs,
                                                      absl::FunctionRef<void(absl::string_view)> progress);

}  // namespace stillwave::benchmark
