// TensorProto -> Tensor, in every encoding that ONNX has.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "server/onnx/external_data.h"
#include "server/onnx/onnx_fwd.h"
#include "server/tensor/tensor.h"

namespace stillwave::onnx_import {

// Reads initializers and tensor attributes. Not thread-safe.
class InitializerReader {
 public:
  // `data_folder` empty: external data is refused.
  explicit InitializerReader(std::string data_folder) : external_data_(std::move(data_folder)) {}

  // Dims and byte counts are checked before memory is taken. The caller puts the tensor's name in front of errors.
  absl::StatusOr<tensor::Tensor> Read(const ::onnx::TensorProto& proto);

 private:
  absl::StatusOr<tensor::Tensor> ReadExternal(const ::onnx::TensorProto& proto, tensor::DataType type,
                                              const tensor::Shape& shape, int64_t byte_size);

  ExternalData external_data_;
};

}  // namespace stillwave::onnx_import
