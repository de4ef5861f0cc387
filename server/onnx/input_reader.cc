#include "server/onnx/input_reader.h"

#include <onnx/onnx_pb.h>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/onnx/data_types.h"

namespace stillwave::onnx_import {
namespace {

using tensor::Shape;

// Bounds the product of the known dimensions; the unknown ones are bounded when a request comes.
absl::Status CheckSize(const InputType& type) {
  Shape known;
  for (const int64_t dim : type.shape.dims()) known.Append(dim == tensor::kDynamicDim ? 1 : dim);
  const absl::StatusOr<int64_t> count = known.ElementCount();
  if (count.ok() && *count <= tensor::kMaxTensorBytes / static_cast<int64_t>(tensor::SizeOf(type.data_type))) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("shape ", type.shape.ToString(), " must not exceed ",
                                                 tensor::kMaxTensorBytes, " bytes, its dynamic dimensions taken as 1"));
}

}  // namespace

absl::StatusOr<InputType> ReadInputType(const ::onnx::ValueInfoProto& input) {
  if (!input.has_type() || input.type().value_case() == ::onnx::TypeProto::VALUE_NOT_SET) {
    return absl::InvalidArgumentError("type is missing");
  }
  if (!input.type().has_tensor_type()) return absl::UnimplementedError("type must be a dense tensor; is another");
  const auto& declared = input.type().tensor_type();
  InputType type;
  ASSIGN_OR_RETURN(type.data_type, DataTypeFromOnnx(declared.elem_type()));
  if (!declared.has_shape()) {
    return absl::InvalidArgumentError("shape is missing: its number of dimensions must be known");
  }
  if (declared.shape().dim_size() > tensor::kMaxRank) {
    return absl::InvalidArgumentError(absl::StrCat("shape must not have more than ", tensor::kMaxRank,
                                                   " dimensions; has ", declared.shape().dim_size()));
  }
  for (const auto& dim : declared.shape().dim()) {
    type.shape.Append(dim.has_dim_value() && dim.dim_value() > 0 ? dim.dim_value() : tensor::kDynamicDim);
  }
  RETURN_IF_ERROR(CheckSize(type));
  return type;
}

absl::Status CheckDeclaredWeight(const ::onnx::ValueInfoProto& input, const tensor::Tensor& weight) {
  if (!input.has_type() || !input.type().has_tensor_type()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const tensor::DataType data_type, DataTypeFromOnnx(input.type().tensor_type().elem_type()));
  if (data_type != weight.data_type()) {
    return absl::InvalidArgumentError(absl::StrCat("is declared as ", tensor::Name(data_type),
                                                   ", but its initializer is ", tensor::Name(weight.data_type())));
  }
  if (!input.type().tensor_type().has_shape()) return absl::OkStatus();
  const auto& declared = input.type().tensor_type().shape();
  bool same = declared.dim_size() == weight.shape().rank();
  for (int axis = 0; same && axis < declared.dim_size(); ++axis) {
    same = !declared.dim(axis).has_dim_value() || declared.dim(axis).dim_value() == weight.shape()[axis];
  }
  if (same) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("is declared with another shape than its initializer's ", weight.shape().ToString()));
}

}  // namespace stillwave::onnx_import
