// What becomes of samples that hold a value that is NaN or infinite: their answer is NaN (docs/decisions/0006).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "server/model/model_signature.h"
#include "server/tensor/tensor.h"

namespace stillwave::model {

// Appends the rows of axis 0 of an FP32 tensor that hold such a value, in order. Other element types have none.
void FindNotFiniteSamples(const tensor::TensorView& input, std::vector<int64_t>& samples);

// INVALID_ARGUMENT, naming the output, when one of `outputs` (indices into the signature's) has a type without NaN.
// REQUIRES: samples is not empty.
absl::Status CheckOutputsHaveNaN(const ModelSignature& signature, absl::Span<const size_t> outputs,
                                 absl::Span<const int64_t> samples);

// Sets all elements of these rows to NaN. REQUIRES: FP32 or FP64; the rows are there.
void SetToNaN(absl::Span<const int64_t> samples, tensor::Tensor& output);

}  // namespace stillwave::model
