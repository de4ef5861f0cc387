// ONNX's TensorProto files, as the answers of test data come in them. Independent of the server's reader.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "server/tensor/tensor.h"

namespace stillwave::test_support {

struct NamedTensor {
  std::string name;
  tensor::Tensor tensor;
};

// INVALID_ARGUMENT when the bytes are no TensorProto, its type has no tensor::DataType, or its data does not fit.
absl::StatusOr<NamedTensor> ParseTensorProto(const std::string& bytes);

// A file with one TensorProto; NOT_FOUND, or as above, with the path.
absl::StatusOr<NamedTensor> ReadTensorFile(const std::string& path);

}  // namespace stillwave::test_support
