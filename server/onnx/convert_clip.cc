// Clip. Its bounds were attributes before opset 11 and are inputs since.
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/onnx/op_converters.h"

namespace stillwave::onnx_import {
namespace {

using graph::UnaryKind;
using graph::ValueId;

constexpr size_t kMin = 1;
constexpr size_t kMax = 2;

// A bound that is left out, or one FP32 number of the file; such a Clip has its bounds in its attributes.
bool IsKnownFloat(const ConvertContext& context, size_t index) {
  if (context.input(index) == graph::kNoValue) return true;
  const tensor::Tensor* bound = context.ConstantInput(index);
  return bound != nullptr && bound->data_type() == tensor::DataType::kFloat32 && bound->num_elements() == 1;
}

float KnownFloat(const ConvertContext& context, size_t index, float otherwise) {
  const tensor::Tensor* bound = context.ConstantInput(index);
  return bound == nullptr ? otherwise : bound->values<float>()[0];
}

absl::Status CheckScalar(const ConvertContext& context, size_t index, absl::string_view name) {
  const tensor::Tensor* bound = context.ConstantInput(index);
  if (bound == nullptr || bound->num_elements() == 1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " must be a scalar; was ", bound->shape().ToString()));
}

}  // namespace

absl::Status ConvertClip6(ConvertContext& context) {
  using Limits = std::numeric_limits<float>;
  ASSIGN_OR_RETURN(const float low, context.attributes().AnyFloat("min", Limits::lowest()));
  ASSIGN_OR_RETURN(const float high, context.attributes().AnyFloat("max", Limits::max()));
  return context.Emit(graph::Unary{UnaryKind::kClip, low, high});
}

// Bounds of other types or computed ones: min(max(x, low), high), so that the upper one has the last word, as in ONNX.
absl::Status ConvertClip11(ConvertContext& context) {
  RETURN_IF_ERROR(CheckScalar(context, kMin, "min"));
  RETURN_IF_ERROR(CheckScalar(context, kMax, "max"));
  const bool has_low = context.input(kMin) != graph::kNoValue;
  const bool has_high = context.input(kMax) != graph::kNoValue;
  ValueId x = context.input(0);
  if (!has_low && !has_high) return context.Emit(graph::Identity{}, {x});
  if (IsKnownFloat(context, kMin) && IsKnownFloat(context, kMax)) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    return context.Emit(
        graph::Unary{UnaryKind::kClip, KnownFloat(context, kMin, -kInfinity), KnownFloat(context, kMax, kInfinity)},
        {x});
  }
  const graph::Binary raise{graph::BinaryKind::kMax};
  if (!has_high) return context.Emit(raise, {x, context.input(kMin)});
  if (has_low) x = context.AddNode("raised", raise, {x, context.input(kMin)});
  return context.Emit(graph::Binary{graph::BinaryKind::kMin}, {x, context.input(kMax)});
}

}  // namespace stillwave::onnx_import
