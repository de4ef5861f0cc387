#include "server/onnx/initializer_reader.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <set>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/onnx/data_types.h"
#include "server/onnx/names.h"

namespace stillwave::onnx_import {
namespace {

using ::onnx::TensorProto;
using tensor::DataType;
using tensor::Shape;
using tensor::Tensor;

// raw_data and external data are little-endian, and are copied as they are.
static_assert(std::endian::native == std::endian::little);

absl::StatusOr<Shape> ReadDims(const TensorProto& proto) {
  if (proto.dims_size() > tensor::kMaxRank) {
    return absl::InvalidArgumentError(
        absl::StrCat("a tensor must not have more than ", tensor::kMaxRank, " dimensions; has ", proto.dims_size()));
  }
  Shape shape;
  for (const int64_t dim : proto.dims()) {
    if (dim < 0) return absl::InvalidArgumentError(absl::StrCat("dimensions must not be negative; one was ", dim));
    shape.Append(dim);
  }
  return shape;
}

// Overflow-checked, and bounded by what a tensor may have.
absl::StatusOr<int64_t> ByteSize(DataType type, const Shape& shape) {
  ASSIGN_OR_RETURN(const int64_t count, shape.ElementCount());
  if (count > tensor::kMaxTensorBytes / static_cast<int64_t>(tensor::SizeOf(type))) {
    return absl::InvalidArgumentError(absl::StrCat("a tensor must not exceed ", tensor::kMaxTensorBytes, " bytes; ",
                                                   tensor::Name(type), " ", shape.ToString(), " does"));
  }
  return count * static_cast<int64_t>(tensor::SizeOf(type));
}

// The field that holds the elements; for messages too.
absl::StatusOr<absl::string_view> DataField(const TensorProto& proto) {
  const std::pair<absl::string_view, bool> fields[] = {
      {"external data", proto.data_location() == TensorProto::EXTERNAL},
      {"raw_data", !proto.raw_data().empty()},
      {"float_data", proto.float_data_size() > 0},
      {"int32_data", proto.int32_data_size() > 0},
      {"int64_data", proto.int64_data_size() > 0},
      {"double_data", proto.double_data_size() > 0},
      {"uint64_data", proto.uint64_data_size() > 0},
      {"string_data", proto.string_data_size() > 0},
  };
  absl::string_view found;
  for (const auto& [name, present] : fields) {
    if (!present) continue;
    if (!found.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("data must lie in one field; lies in both ", found, " and ", name));
    }
    found = name;
  }
  return found;
}

// Bytes are copied as they are, but a bool must be 0 or 1 for C++.
void NormalizeBools(Tensor& tensor) {
  if (tensor.data_type() != DataType::kBool) return;
  auto* bytes = static_cast<uint8_t*>(tensor.mutable_data());
  std::transform(bytes, bytes + tensor.num_elements(), bytes, [](uint8_t byte) { return byte != 0 ? 1 : 0; });
}

absl::StatusOr<Tensor> ReadRaw(const std::string& raw, DataType type, const Shape& shape, int64_t byte_size) {
  if (static_cast<int64_t>(raw.size()) != byte_size) {
    return absl::InvalidArgumentError(absl::StrCat("raw_data must have ", byte_size, " bytes for ", tensor::Name(type),
                                                   " ", shape.ToString(), "; has ", raw.size()));
  }
  ASSIGN_OR_RETURN(Tensor tensor, Tensor::Create(type, shape));
  if (byte_size > 0) std::memcpy(tensor.mutable_data(), raw.data(), raw.size());
  NormalizeBools(tensor);
  return tensor;
}

// Stores each value of a repeated field as an Element, after a check that it is one.
template <typename Element, typename Field>
absl::StatusOr<Tensor> ReadTyped(absl::string_view field_name, const Field& field, DataType type, const Shape& shape,
                                 int64_t lowest, uint64_t highest) {
  const int64_t count = shape.num_elements();
  if (field.size() != count) {
    return absl::InvalidArgumentError(absl::StrCat(field_name, " must have ", count, " values for ", tensor::Name(type),
                                                   " ", shape.ToString(), "; has ", field.size()));
  }
  ASSIGN_OR_RETURN(Tensor tensor, Tensor::Create(type, shape));
  auto* elements = static_cast<Element*>(tensor.mutable_data());
  for (const auto value : field) {
    if constexpr (std::is_integral_v<decltype(value)>) {
      if (std::cmp_less(value, lowest) || std::cmp_greater(value, highest)) {
        return absl::InvalidArgumentError(
            absl::StrCat(field_name, " must hold ", tensor::Name(type), " values; one was ", value));
      }
    }
    *elements++ = static_cast<Element>(value);
  }
  return tensor;
}

template <typename Element, typename Field>
absl::StatusOr<Tensor> ReadIntegers(absl::string_view field_name, const Field& field, DataType type,
                                    const Shape& shape) {
  using Limits = std::numeric_limits<Element>;
  return ReadTyped<Element>(field_name, field, type, shape, static_cast<int64_t>(Limits::min()),
                            static_cast<uint64_t>(Limits::max()));
}

// Which typed field each element type has: onnx.proto, message TensorProto.
absl::StatusOr<Tensor> ReadFromItsField(const TensorProto& proto, DataType type, const Shape& shape) {
  constexpr absl::string_view kInt32 = "int32_data";
  switch (type) {
    case DataType::kFloat32:
      return ReadTyped<float>("float_data", proto.float_data(), type, shape, 0, 0);
    case DataType::kFloat64:
      return ReadTyped<double>("double_data", proto.double_data(), type, shape, 0, 0);
    case DataType::kInt64:
      return ReadIntegers<int64_t>("int64_data", proto.int64_data(), type, shape);
    case DataType::kUint64:
      return ReadIntegers<uint64_t>("uint64_data", proto.uint64_data(), type, shape);
    case DataType::kUint32:
      return ReadIntegers<uint32_t>("uint64_data", proto.uint64_data(), type, shape);
    case DataType::kInt32:
      return ReadIntegers<int32_t>(kInt32, proto.int32_data(), type, shape);
    case DataType::kInt16:
      return ReadIntegers<int16_t>(kInt32, proto.int32_data(), type, shape);
    case DataType::kInt8:
      return ReadIntegers<int8_t>(kInt32, proto.int32_data(), type, shape);
    case DataType::kUint8:
      return ReadIntegers<uint8_t>(kInt32, proto.int32_data(), type, shape);
    case DataType::kBool:
      return ReadTyped<uint8_t>(kInt32, proto.int32_data(), type, shape, 0, 1);
    case DataType::kUint16:
    case DataType::kFloat16:   // the bits of a half
    case DataType::kBFloat16:  // the upper bits of a float
      return ReadIntegers<uint16_t>(kInt32, proto.int32_data(), type, shape);
  }
  SW_CHECK(false);
}

absl::string_view FieldOf(DataType type) {
  switch (type) {
    case DataType::kFloat32:
      return "float_data";
    case DataType::kFloat64:
      return "double_data";
    case DataType::kInt64:
      return "int64_data";
    case DataType::kUint32:
    case DataType::kUint64:
      return "uint64_data";
    default:
      return "int32_data";
  }
}

absl::StatusOr<ExternalLocation> ReadLocation(const TensorProto& proto) {
  ExternalLocation location;
  std::set<std::string> seen;
  for (const auto& entry : proto.external_data()) {
    if (!seen.insert(entry.key()).second) {
      return absl::InvalidArgumentError(absl::StrCat("external data lists ", Quoted(entry.key()), " twice"));
    }
    if (entry.key() == "location") {
      location.location = entry.value();
    } else if (entry.key() == "checksum") {
      location.checksum = entry.value();
    } else if (entry.key() == "offset" || entry.key() == "length") {
      int64_t number = 0;
      if (!absl::SimpleAtoi(entry.value(), &number) || number < 0) {
        return absl::InvalidArgumentError(absl::StrCat(
            "external data ", entry.key(), " must be a number that is not negative; was ", Quoted(entry.value())));
      }
      (entry.key() == "offset" ? location.offset : location.length) = number;
    } else {
      return absl::UnimplementedError(absl::StrCat("external data entry ", Quoted(entry.key()), " is not supported"));
    }
  }
  return location;
}

}  // namespace

absl::StatusOr<Tensor> InitializerReader::ReadExternal(const TensorProto& proto, DataType type, const Shape& shape,
                                                       int64_t byte_size) {
  ASSIGN_OR_RETURN(const ExternalLocation location, ReadLocation(proto));
  RETURN_IF_ERROR(external_data_.Open(location, byte_size));
  ASSIGN_OR_RETURN(Tensor tensor, Tensor::Create(type, shape));
  RETURN_IF_ERROR(external_data_.Read(location, byte_size, tensor.mutable_data()));
  NormalizeBools(tensor);
  return tensor;
}

absl::StatusOr<Tensor> InitializerReader::Read(const TensorProto& proto) {
  ASSIGN_OR_RETURN(const DataType type, DataTypeFromOnnx(proto.data_type()));
  ASSIGN_OR_RETURN(const Shape shape, ReadDims(proto));
  ASSIGN_OR_RETURN(const int64_t byte_size, ByteSize(type, shape));
  if (proto.has_segment()) return absl::UnimplementedError("tensors in segments are not supported");
  ASSIGN_OR_RETURN(const absl::string_view field, DataField(proto));
  if (field == "external data") return ReadExternal(proto, type, shape, byte_size);
  if (field == "raw_data" || (field.empty() && byte_size == 0)) {
    return ReadRaw(proto.raw_data(), type, shape, byte_size);
  }
  if (!field.empty() && field != FieldOf(type)) {
    return absl::InvalidArgumentError(
        absl::StrCat("data of type ", tensor::Name(type), " must lie in ", FieldOf(type), "; lies in ", field));
  }
  if (field.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("data for ", tensor::Name(type), " ", shape.ToString(), " is missing: no field holds any"));
  }
  return ReadFromItsField(proto, type, shape);
}

}  // namespace stillwave::onnx_import
