// Activations with attributes of their own.
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/onnx/names.h"
#include "server/onnx/op_converters.h"

namespace stillwave::onnx_import {

using graph::BinaryKind;
using graph::UnaryKind;
using graph::ValueId;

absl::Status ConvertSelu(ConvertContext& context) {
  ASSIGN_OR_RETURN(const float alpha, context.attributes().Float("alpha", 1.67326319F));
  ASSIGN_OR_RETURN(const float gamma, context.attributes().Float("gamma", 1.05070102F));
  return context.Emit(graph::Unary{UnaryKind::kSelu, alpha, gamma});
}

absl::Status ConvertCelu(ConvertContext& context) {
  ASSIGN_OR_RETURN(const float alpha, context.attributes().Float("alpha", 1));
  if (alpha == 0) return absl::InvalidArgumentError("attribute 'alpha' must not be 0: the operator divides by it");
  return context.Emit(graph::Unary{UnaryKind::kCelu, alpha});
}

absl::Status ConvertHardSigmoid(ConvertContext& context) {
  ASSIGN_OR_RETURN(const float alpha, context.attributes().Float("alpha", 0.2F));
  ASSIGN_OR_RETURN(const float beta, context.attributes().Float("beta", 0.5F));
  return context.Emit(graph::Unary{UnaryKind::kHardSigmoid, alpha, beta});
}

absl::Status ConvertThresholdedRelu(ConvertContext& context) {
  ASSIGN_OR_RETURN(const float alpha, context.attributes().Float("alpha", 1));
  return context.Emit(graph::Unary{UnaryKind::kThresholdedRelu, alpha});
}

absl::Status ConvertSwish(ConvertContext& context) {
  ASSIGN_OR_RETURN(const float alpha, context.attributes().Float("alpha", 1));
  return context.Emit(graph::Unary{UnaryKind::kSwish, alpha});
}

absl::Status ConvertGelu(ConvertContext& context) {
  ASSIGN_OR_RETURN(const std::string approximate, context.attributes().String("approximate", "none"));
  if (approximate == "none") return context.Emit(graph::Unary{UnaryKind::kGelu});
  if (approximate == "tanh") return context.Emit(graph::Unary{UnaryKind::kGeluTanh});
  return absl::InvalidArgumentError(
      absl::StrCat("attribute 'approximate' must be none or tanh; was ", Quoted(approximate)));
}

// x + bias below -lambd, x - bias above lambd, 0 between.
absl::Status ConvertShrink(ConvertContext& context) {
  ASSIGN_OR_RETURN(const float bias, context.attributes().Float("bias", 0));
  ASSIGN_OR_RETURN(const float lambd, context.attributes().Float("lambd", 0.5F));
  const ValueId x = context.input(0);
  const auto binary = [&](absl::string_view suffix, BinaryKind kind, float value) {
    return context.AddNode(suffix, graph::Binary{kind},
                           {x, context.AddFloatScalar(absl::StrCat(suffix, "/value"), value)});
  };
  const ValueId is_low = binary("is_low", BinaryKind::kLess, -lambd);
  const ValueId is_high = binary("is_high", BinaryKind::kGreater, lambd);
  const ValueId raised = binary("raised", BinaryKind::kAdd, bias);
  const ValueId lowered = binary("lowered", BinaryKind::kSub, bias);
  const ValueId upper = context.AddNode("upper", graph::Where{}, {is_high, lowered, context.AddFloatScalar("zero", 0)});
  return context.Emit(graph::Where{}, {is_low, raised, upper});
}

absl::Status ConvertMod(ConvertContext& context) {
  ASSIGN_OR_RETURN(const bool fmod, context.attributes().Bool("fmod", false));
  return context.Emit(graph::Binary{fmod ? BinaryKind::kFmod : BinaryKind::kMod});
}

}  // namespace stillwave::onnx_import
