// Does what a client sent fit what the model takes? Pure: signature and views in, views in order or a refusal out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/model/model_signature.h"
#include "server/tensor/tensor.h"

namespace stillwave::model {

// One input as a client states it; nothing about it has been believed yet.
struct ReceivedInput {
  absl::string_view name;
  tensor::DataType data_type = tensor::DataType::kFloat32;
  tensor::Shape shape;
  // The elements: row-major, any alignment. Borrowed.
  const void* data = nullptr;
  size_t byte_size = 0;
};

struct ValidInputs {
  // {samples, …} in signature order; they borrow the elements of the ReceivedInputs.
  std::vector<tensor::TensorView> views;
  int64_t samples = 0;
  // Those of them that hold a value that is NaN or infinite, ascending (see not_finite.h).
  std::vector<int64_t> not_finite;
};

// INVALID_ARGUMENT, naming input, rule and value, for a wrong, missing, extra or repeated name, a wrong datatype, rank,
// fixed dimension or byte count, or a batch of 0, of more than `max_batch_size` or that differs between inputs.
absl::StatusOr<ValidInputs> ValidateInputs(const ModelSignature& signature, int64_t max_batch_size,
                                           absl::Span<const ReceivedInput> inputs);

// Indices into signature.outputs, in the order of `names`; all outputs when there are none. INVALID_ARGUMENT for a name
// that the model does not have, or has been given twice.
absl::StatusOr<std::vector<size_t>> SelectOutputs(const ModelSignature& signature,
                                                  absl::Span<const std::string* const> names);

}  // namespace stillwave::model
