#include "tests/support/tensor_proto.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "onnx/onnx_pb.h"
#include "server/base/status_macros.h"

namespace stillwave::test_support {
namespace {

using tensor::DataType;

std::optional<DataType> DataTypeOfProto(int type) {
  switch (type) {
    case onnx::TensorProto::BOOL:
      return DataType::kBool;
    case onnx::TensorProto::UINT8:
      return DataType::kUint8;
    case onnx::TensorProto::UINT16:
      return DataType::kUint16;
    case onnx::TensorProto::UINT32:
      return DataType::kUint32;
    case onnx::TensorProto::UINT64:
      return DataType::kUint64;
    case onnx::TensorProto::INT8:
      return DataType::kInt8;
    case onnx::TensorProto::INT16:
      return DataType::kInt16;
    case onnx::TensorProto::INT32:
      return DataType::kInt32;
    case onnx::TensorProto::INT64:
      return DataType::kInt64;
    case onnx::TensorProto::FLOAT16:
      return DataType::kFloat16;
    case onnx::TensorProto::BFLOAT16:
      return DataType::kBFloat16;
    case onnx::TensorProto::FLOAT:
      return DataType::kFloat32;
    case onnx::TensorProto::DOUBLE:
      return DataType::kFloat64;
    default:
      return std::nullopt;
  }
}

// Elements of `field`, each narrowed to `size` bytes (little-endian), one after another.
template <typename Field>
std::string Narrow(const Field& field, size_t size) {
  std::string bytes;
  for (const auto element : field) bytes.append(reinterpret_cast<const char*>(&element), size);
  return bytes;
}

std::string ElementBytes(const onnx::TensorProto& proto, DataType type) {
  if (proto.has_raw_data()) return proto.raw_data();
  switch (type) {
    case DataType::kFloat32:
      return Narrow(proto.float_data(), 4);
    case DataType::kFloat64:
      return Narrow(proto.double_data(), 8);
    case DataType::kInt64:
      return Narrow(proto.int64_data(), 8);
    case DataType::kUint32:
    case DataType::kUint64:
      return Narrow(proto.uint64_data(), tensor::SizeOf(type));
    default:
      return Narrow(proto.int32_data(), tensor::SizeOf(type));
  }
}

}  // namespace

absl::StatusOr<NamedTensor> ParseTensorProto(const std::string& bytes) {
  onnx::TensorProto proto;
  if (!proto.ParseFromString(bytes)) return absl::InvalidArgumentError("not a TensorProto");
  const std::optional<DataType> type = DataTypeOfProto(proto.data_type());
  if (!type.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("element type ", proto.data_type(), " is not known here"));
  }
  tensor::Shape shape;
  for (const int64_t dim : proto.dims()) shape.Append(dim);
  ASSIGN_OR_RETURN(tensor::Tensor values, tensor::Tensor::Create(*type, shape));
  const std::string elements = ElementBytes(proto, *type);
  if (elements.size() != values.byte_size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(shape.ToString(), " needs ", values.byte_size(), " bytes; there are ", elements.size()));
  }
  if (!elements.empty()) std::memcpy(values.mutable_data(), elements.data(), elements.size());
  return NamedTensor{proto.name(), std::move(values)};
}

absl::StatusOr<NamedTensor> ReadTensorFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot open ", path));
  absl::StatusOr<NamedTensor> tensor = ParseTensorProto(std::string(std::istreambuf_iterator<char>(file), {}));
  if (!tensor.ok()) return base::Annotate(tensor.status(), path);
  return tensor;
}

}  // namespace stillwave::test_support
