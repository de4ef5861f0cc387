// Operators of any number of inputs, as chains of such of two: Sum, Mean, Min, Max.
#include "absl/status/status.h"
#include "server/onnx/op_converters.h"

namespace stillwave::onnx_import {
namespace {

using graph::BinaryKind;
using graph::ValueId;

// Everything but the last step of ((x0 ∘ x1) ∘ x2) ∘ …. REQUIRES: two inputs or more.
ValueId ChainAllButLast(ConvertContext& context, BinaryKind kind) {
  ValueId so_far = context.input(0);
  for (size_t i = 1; i + 1 < context.input_count(); ++i) {
    so_far = context.AddNode("part", graph::Binary{kind}, {so_far, context.input(i)});
  }
  return so_far;
}

absl::Status Chain(ConvertContext& context, BinaryKind kind) {
  if (context.input_count() == 1) return context.Emit(graph::Identity{});
  const ValueId first = ChainAllButLast(context, kind);
  return context.Emit(graph::Binary{kind}, {first, context.input(context.input_count() - 1)});
}

}  // namespace

absl::Status ConvertSum(ConvertContext& context) { return Chain(context, BinaryKind::kAdd); }
absl::Status ConvertMin(ConvertContext& context) { return Chain(context, BinaryKind::kMin); }
absl::Status ConvertMax(ConvertContext& context) { return Chain(context, BinaryKind::kMax); }

absl::Status ConvertMean(ConvertContext& context) {
  const size_t count = context.input_count();
  if (count == 1) return context.Emit(graph::Identity{});
  const ValueId first = ChainAllButLast(context, BinaryKind::kAdd);
  const ValueId sum = context.AddNode("sum", graph::Binary{BinaryKind::kAdd}, {first, context.input(count - 1)});
  const ValueId divisor = context.AddFloatScalar("count", static_cast<float>(count));
  return context.Emit(graph::Binary{BinaryKind::kDiv}, {sum, divisor});
}

}  // namespace stillwave::onnx_import
