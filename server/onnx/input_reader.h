// The declared type and shape of a graph input.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/onnx/onnx_fwd.h"
#include "server/tensor/data_type.h"
#include "server/tensor/shape.h"
#include "server/tensor/tensor.h"

namespace stillwave::onnx_import {

struct InputType {
  tensor::DataType data_type;
  tensor::Shape shape;  // kDynamicDim for dimensions that are symbolic, missing, zero or negative
};

// INVALID_ARGUMENT when type or shape is missing or too large; UNIMPLEMENTED for sequences, maps and the like.
absl::StatusOr<InputType> ReadInputType(const ::onnx::ValueInfoProto& input);

// For a weight that is listed as an input too: INVALID_ARGUMENT when the declaration contradicts the weight.
absl::Status CheckDeclaredWeight(const ::onnx::ValueInfoProto& input, const tensor::Tensor& weight);

}  // namespace stillwave::onnx_import
