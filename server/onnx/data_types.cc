#include "server/onnx/data_types.h"

#include <iterator>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace stillwave::onnx_import {
namespace {

using tensor::DataType;

struct Entry {
  absl::string_view onnx_name;
  std::optional<DataType> type;  // empty: not supported
};

// By the number of onnx.TensorProto.DataType. Numbers instead of the enum's names: Debian 12's ONNX lacks the newer.
constexpr Entry kEntries[] = {
    {"UNDEFINED", std::nullopt},
    {"FLOAT", DataType::kFloat32},
    {"UINT8", DataType::kUint8},
    {"INT8", DataType::kInt8},
    {"UINT16", DataType::kUint16},
    {"INT16", DataType::kInt16},
    {"INT32", DataType::kInt32},
    {"INT64", DataType::kInt64},
    {"STRING", std::nullopt},
    {"BOOL", DataType::kBool},
    {"FLOAT16", DataType::kFloat16},
    {"DOUBLE", DataType::kFloat64},
    {"UINT32", DataType::kUint32},
    {"UINT64", DataType::kUint64},
    {"COMPLEX64", std::nullopt},
    {"COMPLEX128", std::nullopt},
    {"BFLOAT16", DataType::kBFloat16},
    {"FLOAT8E4M3FN", std::nullopt},
    {"FLOAT8E4M3FNUZ", std::nullopt},
    {"FLOAT8E5M2", std::nullopt},
    {"FLOAT8E5M2FNUZ", std::nullopt},
    {"UINT4", std::nullopt},
    {"INT4", std::nullopt},
    {"FLOAT4E2M1", std::nullopt},
};

}  // namespace

absl::StatusOr<DataType> DataTypeFromOnnx(int64_t onnx_type) {
  if (onnx_type <= 0 || onnx_type >= static_cast<int64_t>(std::size(kEntries))) {
    return absl::InvalidArgumentError(absl::StrCat("data type must be one that ONNX defines; was ", onnx_type));
  }
  const Entry& entry = kEntries[onnx_type];
  if (!entry.type.has_value()) {
    return absl::UnimplementedError(absl::StrCat("data type ", entry.onnx_name, " is not supported"));
  }
  return *entry.type;
}

}  // namespace stillwave::onnx_import
