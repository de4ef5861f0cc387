#include "server/tensor/data_type.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/check.h"

namespace stillwave::tensor {
namespace {

struct Entry {
  DataType type;
  absl::string_view name;
  size_t size;
};

constexpr Entry kEntries[] = {
    {DataType::kBool, "BOOL", 1},     {DataType::kUint8, "UINT8", 1},   {DataType::kUint16, "UINT16", 2},
    {DataType::kUint32, "UINT32", 4}, {DataType::kUint64, "UINT64", 8}, {DataType::kInt8, "INT8", 1},
    {DataType::kInt16, "INT16", 2},   {DataType::kInt32, "INT32", 4},   {DataType::kInt64, "INT64", 8},
    {DataType::kFloat16, "FP16", 2},  {DataType::kBFloat16, "BF16", 2}, {DataType::kFloat32, "FP32", 4},
    {DataType::kFloat64, "FP64", 8},
};

const Entry& Find(DataType type) {
  const Entry& entry = kEntries[static_cast<size_t>(type)];
  SW_CHECK(entry.type == type);
  return entry;
}

}  // namespace

size_t SizeOf(DataType type) { return Find(type).size; }

absl::string_view Name(DataType type) { return Find(type).name; }

absl::StatusOr<DataType> ParseDataType(absl::string_view name) {
  for (const Entry& entry : kEntries) {
    if (entry.name == name) return entry.type;
  }
  std::string known;
  for (const Entry& entry : kEntries) absl::StrAppend(&known, known.empty() ? "" : ", ", entry.name);
  return absl::InvalidArgumentError(absl::StrCat("datatype must be one of ", known, "; was '", name, "'"));
}

}  // namespace stillwave::tensor
