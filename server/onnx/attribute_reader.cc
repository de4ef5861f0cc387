#include "server/onnx/attribute_reader.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/status_macros.h"
#include "server/onnx/limits.h"
#include "server/onnx/names.h"

namespace stillwave::onnx_import {
namespace {

using ::onnx::AttributeProto;

absl::Status CheckType(const AttributeProto& attribute, AttributeProto::AttributeType wanted) {
  if (attribute.type() == wanted) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("attribute ", Quoted(attribute.name()), " must have type ",
                                                 AttributeProto::AttributeType_Name(wanted), "; has ",
                                                 AttributeProto::AttributeType_Name(attribute.type())));
}

// Keeps a list from becoming a tensor that is larger than a tensor may be.
absl::Status CheckListLength(absl::string_view name, int length) {
  if (length <= kMaxListLength) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("attribute ", Quoted(name), " must not have more than ", kMaxListLength, " entries; has ", length));
}

}  // namespace

absl::StatusOr<AttributeReader> AttributeReader::Create(const ::onnx::NodeProto& node,
                                                        absl::Span<const absl::string_view> known) {
  if (node.attribute_size() > kMaxNodeAttributes) {
    return absl::InvalidArgumentError(absl::StrCat("a node must not have more than ", kMaxNodeAttributes,
                                                   " attributes; has ", node.attribute_size()));
  }
  AttributeReader reader;
  for (const AttributeProto& attribute : node.attribute()) {
    if (std::find(known.begin(), known.end(), absl::string_view(attribute.name())) == known.end()) {
      return absl::UnimplementedError(absl::StrCat(
          "attribute ", Quoted(attribute.name()), " is not known for this operator and opset (",
          known.empty() ? "it has none" : absl::StrCat("known: ", absl::StrJoin(known, ", ")), "); it is not ignored"));
    }
    if (reader.Has(attribute.name())) {
      return absl::InvalidArgumentError(absl::StrCat("attribute ", Quoted(attribute.name()), " is listed twice"));
    }
    if (!attribute.ref_attr_name().empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("attribute ", Quoted(attribute.name()), " refers to a function's attribute outside a function"));
    }
    reader.attributes_.push_back(&attribute);
  }
  return reader;
}

const AttributeProto* AttributeReader::Find(absl::string_view name) const {
  for (const AttributeProto* attribute : attributes_) {
    if (absl::string_view(attribute->name()) == name) return attribute;
  }
  return nullptr;
}

absl::StatusOr<int64_t> AttributeReader::Int(absl::string_view name, int64_t default_value) const {
  const AttributeProto* attribute = Find(name);
  if (attribute == nullptr) return default_value;
  RETURN_IF_ERROR(CheckType(*attribute, AttributeProto::INT));
  return attribute->i();
}

absl::StatusOr<bool> AttributeReader::Bool(absl::string_view name, bool default_value) const {
  ASSIGN_OR_RETURN(const int64_t value, Int(name, default_value ? 1 : 0));
  if (value != 0 && value != 1) {
    return absl::InvalidArgumentError(absl::StrCat("attribute ", Quoted(name), " must be 0 or 1; was ", value));
  }
  return value == 1;
}

absl::StatusOr<float> AttributeReader::AnyFloat(absl::string_view name, float default_value) const {
  const AttributeProto* attribute = Find(name);
  if (attribute == nullptr) return default_value;
  RETURN_IF_ERROR(CheckType(*attribute, AttributeProto::FLOAT));
  return attribute->f();
}

absl::StatusOr<float> AttributeReader::Float(absl::string_view name, float default_value) const {
  ASSIGN_OR_RETURN(const float value, AnyFloat(name, default_value));
  if (!std::isfinite(value)) {
    return absl::InvalidArgumentError(absl::StrCat("attribute ", Quoted(name), " must be finite; was ", value));
  }
  return value;
}

absl::StatusOr<std::string> AttributeReader::String(absl::string_view name, absl::string_view default_value) const {
  const AttributeProto* attribute = Find(name);
  if (attribute == nullptr) return std::string(default_value);
  RETURN_IF_ERROR(CheckType(*attribute, AttributeProto::STRING));
  return attribute->s();
}

absl::StatusOr<std::vector<int64_t>> AttributeReader::Ints(absl::string_view name) const {
  const AttributeProto* attribute = Find(name);
  if (attribute == nullptr) return std::vector<int64_t>();
  RETURN_IF_ERROR(CheckType(*attribute, AttributeProto::INTS));
  RETURN_IF_ERROR(CheckListLength(name, attribute->ints_size()));
  return std::vector<int64_t>(attribute->ints().begin(), attribute->ints().end());
}

absl::StatusOr<std::vector<float>> AttributeReader::Floats(absl::string_view name) const {
  const AttributeProto* attribute = Find(name);
  if (attribute == nullptr) return std::vector<float>();
  RETURN_IF_ERROR(CheckType(*attribute, AttributeProto::FLOATS));
  RETURN_IF_ERROR(CheckListLength(name, attribute->floats_size()));
  return std::vector<float>(attribute->floats().begin(), attribute->floats().end());
}

absl::StatusOr<const ::onnx::TensorProto*> AttributeReader::Tensor(absl::string_view name) const {
  const AttributeProto* attribute = Find(name);
  if (attribute == nullptr) return static_cast<const ::onnx::TensorProto*>(nullptr);
  RETURN_IF_ERROR(CheckType(*attribute, AttributeProto::TENSOR));
  return &attribute->t();
}

}  // namespace stillwave::onnx_import
