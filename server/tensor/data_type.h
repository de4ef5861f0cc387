// Element types, by their Open Inference Protocol names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace stillwave::tensor {

enum class DataType : uint8_t {
  kBool,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFloat16,
  kBFloat16,
  kFloat32,
  kFloat64,
};

// Bytes per element.
size_t SizeOf(DataType type);

// "FP32", "INT64", … as on the wire.
absl::string_view Name(DataType type);

// INVALID_ARGUMENT, listing the known names, for any other text.
absl::StatusOr<DataType> ParseDataType(absl::string_view name);

// The DataType of a C++ element type.
template <typename T>
constexpr DataType DataTypeOf() {
  if constexpr (std::is_same_v<T, bool>) {
    return DataType::kBool;
  } else if constexpr (std::is_same_v<T, uint8_t>) {
    return DataType::kUint8;
  } else if constexpr (std::is_same_v<T, uint16_t>) {
    return DataType::kUint16;
  } else if constexpr (std::is_same_v<T, uint32_t>) {
    return DataType::kUint32;
  } else if constexpr (std::is_same_v<T, uint64_t>) {
    return DataType::kUint64;
  } else if constexpr (std::is_same_v<T, int8_t>) {
    return DataType::kInt8;
  } else if constexpr (std::is_same_v<T, int16_t>) {
    return DataType::kInt16;
  } else if constexpr (std::is_same_v<T, int32_t>) {
    return DataType::kInt32;
  } else if constexpr (std::is_same_v<T, int64_t>) {
    return DataType::kInt64;
  } else if constexpr (std::is_same_v<T, float>) {
    return DataType::kFloat32;
  } else {
    static_assert(std::is_same_v<T, double>, "no DataType for this element type");
    return DataType::kFloat64;
  }
}

}  // namespace stillwave::tensor
