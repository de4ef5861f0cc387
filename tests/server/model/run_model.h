// Loads and runs models in tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/model/loaded_model.h"
#include "server/tensor/tensor.h"
#include "tests/support/ref_tensor.h"
#include "tests/support/test_models.h"

namespace stillwave::model {

// LoadedModel::Load, with the batch sizes of the tests in mind.
absl::StatusOr<std::shared_ptr<const LoadedModel>> LoadForTest(const std::string& model_file,
                                                               BatchNormMode mode = BatchNormMode::kPrimitive);

// Runs `inputs` (in signature order, all of one batch size) in `context`.
absl::StatusOr<std::vector<tensor::Tensor>> RunModel(const LoadedModel& model, execution::ExecutionContext& context,
                                                     absl::Span<const tensor::TensorView> inputs);

// The case's inputs in signature order, by name.
std::vector<tensor::TensorView> InputsOf(const LoadedModel& model, const test_support::ModelCase& model_case);

// The outputs of `model` for one case, as the reference's tensors.
absl::StatusOr<std::vector<test_support::RefTensor>> RunCase(const LoadedModel& model,
                                                             const test_support::ModelCase& model_case);

// Rows of `batch`, in this order, as a batch of their own.
tensor::Tensor TakeRows(const tensor::TensorView& batch, absl::Span<const int64_t> rows);

}  // namespace stillwave::model
