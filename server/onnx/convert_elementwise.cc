// Operators that work element by element, of one input and of two.
#include "absl/status/status.h"
#include "server/base/status_macros.h"
#include "server/onnx/op_converters.h"

namespace stillwave::onnx_import {
namespace {

using graph::BinaryKind;
using graph::UnaryKind;

absl::Status Unary(ConvertContext& context, UnaryKind kind) { return context.Emit(graph::Unary{kind}); }

absl::Status UnaryWithAlpha(ConvertContext& context, UnaryKind kind, float default_alpha) {
  ASSIGN_OR_RETURN(const float alpha, context.attributes().Float("alpha", default_alpha));
  return context.Emit(graph::Unary{kind, alpha});
}

absl::Status Binary(ConvertContext& context, BinaryKind kind) { return context.Emit(graph::Binary{kind}); }

}  // namespace

absl::Status ConvertRelu(ConvertContext& context) { return Unary(context, UnaryKind::kRelu); }
absl::Status ConvertLeakyRelu(ConvertContext& context) { return UnaryWithAlpha(context, UnaryKind::kLeakyRelu, 0.01F); }
absl::Status ConvertElu(ConvertContext& context) { return UnaryWithAlpha(context, UnaryKind::kElu, 1); }
absl::Status ConvertSigmoid(ConvertContext& context) { return Unary(context, UnaryKind::kSigmoid); }
absl::Status ConvertTanh(ConvertContext& context) { return Unary(context, UnaryKind::kTanh); }
absl::Status ConvertAbs(ConvertContext& context) { return Unary(context, UnaryKind::kAbs); }
absl::Status ConvertExp(ConvertContext& context) { return Unary(context, UnaryKind::kExp); }
absl::Status ConvertLog(ConvertContext& context) { return Unary(context, UnaryKind::kLog); }
absl::Status ConvertNeg(ConvertContext& context) { return Unary(context, UnaryKind::kNeg); }
absl::Status ConvertSqrt(ConvertContext& context) { return Unary(context, UnaryKind::kSqrt); }

absl::Status ConvertAdd(ConvertContext& context) { return Binary(context, BinaryKind::kAdd); }
absl::Status ConvertSub(ConvertContext& context) { return Binary(context, BinaryKind::kSub); }
absl::Status ConvertMul(ConvertContext& context) { return Binary(context, BinaryKind::kMul); }
absl::Status ConvertDiv(ConvertContext& context) { return Binary(context, BinaryKind::kDiv); }
absl::Status ConvertPow(ConvertContext& context) { return Binary(context, BinaryKind::kPow); }
absl::Status ConvertPRelu(ConvertContext& context) { return Binary(context, BinaryKind::kPRelu); }

}  // namespace stillwave::onnx_import
