// Constant, ConstantOfShape and Cast.
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/onnx/data_types.h"
#include "server/onnx/op_converters.h"

namespace stillwave::onnx_import {
namespace {

using tensor::Tensor;

template <typename T>
std::shared_ptr<const Tensor> Vector(const std::vector<T>& values) {
  const tensor::Shape shape = {static_cast<int64_t>(values.size())};
  return std::make_shared<const Tensor>(Tensor::FromValues<T>(shape, values));
}

template <typename T>
std::shared_ptr<const Tensor> Scalar(T value) {
  return std::make_shared<const Tensor>(Tensor::FromValues<T>({}, {&value, 1}));
}

absl::Status CheckOneValue(const AttributeReader& attributes) {
  int given = 0;
  for (const absl::string_view name : {"value", "value_float", "value_floats", "value_int", "value_ints"}) {
    if (attributes.Has(name)) ++given;
  }
  for (const absl::string_view name : {"sparse_value", "value_string", "value_strings"}) {
    if (attributes.Has(name)) return absl::UnimplementedError(absl::StrCat("attribute '", name, "' is not supported"));
  }
  if (given == 1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("exactly one attribute must give the value; ", given, " do"));
}

}  // namespace

absl::Status ConvertConstant(ConvertContext& context) {
  const AttributeReader& attributes = context.attributes();
  RETURN_IF_ERROR(CheckOneValue(attributes));
  if (attributes.Has("value_float")) {
    ASSIGN_OR_RETURN(const float value, attributes.AnyFloat("value_float", 0));
    return context.EmitConstant(Scalar(value));
  }
  if (attributes.Has("value_floats")) {
    ASSIGN_OR_RETURN(const std::vector<float> values, attributes.Floats("value_floats"));
    return context.EmitConstant(Vector(values));
  }
  if (attributes.Has("value_int")) {
    ASSIGN_OR_RETURN(const int64_t value, attributes.Int("value_int", 0));
    return context.EmitConstant(Scalar(value));
  }
  if (attributes.Has("value_ints")) {
    ASSIGN_OR_RETURN(const std::vector<int64_t> values, attributes.Ints("value_ints"));
    return context.EmitConstant(Vector(values));
  }
  ASSIGN_OR_RETURN(std::shared_ptr<const Tensor> value, context.TensorAttribute("value"));
  return context.EmitConstant(std::move(value));
}

absl::Status ConvertConstantOfShape(ConvertContext& context) {
  ASSIGN_OR_RETURN(std::shared_ptr<const Tensor> value, context.TensorAttribute("value"));
  if (value == nullptr) value = Vector<float>({0});
  if (value->num_elements() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute 'value' must have one element; has shape ", value->shape().ToString()));
  }
  return context.Emit(graph::ConstantOfShape{std::move(value)});
}

absl::Status ConvertCast(ConvertContext& context) {
  if (!context.attributes().Has("to")) return absl::InvalidArgumentError("attribute 'to' is missing");
  ASSIGN_OR_RETURN(const int64_t to, context.attributes().Int("to", 0));
  // `saturate` and `round_mode` are about 8-bit floats, which are refused here.
  const absl::StatusOr<tensor::DataType> type = DataTypeFromOnnx(to);
  if (!type.ok()) return base::Annotate(type.status(), "attribute 'to'");
  return context.Emit(graph::Cast{*type});
}

absl::Status ConvertCastLike(ConvertContext& context) { return context.Emit(graph::CastLike{}); }

}  // namespace stillwave::onnx_import
