// ONNX's element types and ours.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "server/tensor/data_type.h"

namespace stillwave::onnx_import {

// INVALID_ARGUMENT when `onnx_type` (TensorProto.DataType) is undefined or unknown; UNIMPLEMENTED, with its name, when
// it is a type that no tensor here has: strings, complex numbers, 8-bit floats, 4-bit integers.
absl::StatusOr<tensor::DataType> DataTypeFromOnnx(int64_t onnx_type);

}  // namespace stillwave::onnx_import
