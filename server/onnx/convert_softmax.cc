// Softmax, LogSoftmax and Hardmax. Before opset 13 the default axis was 1, and the input was seen as 2-D around the
// axis.
#include "absl/status/status.h"
#include "server/base/status_macros.h"
#include "server/onnx/op_converters.h"

namespace stillwave::onnx_import {
namespace {

using graph::BinaryKind;
using graph::ValueId;

constexpr int64_t kPerAxisSince = 13;

absl::Status Softmax(ConvertContext& context, bool log) {
  graph::Softmax softmax;
  softmax.log = log;
  softmax.flatten_to_2d = context.opset() < kPerAxisSince;
  ASSIGN_OR_RETURN(softmax.axis, context.attributes().Int("axis", softmax.flatten_to_2d ? 1 : -1));
  return context.Emit(softmax);
}

}  // namespace

absl::Status ConvertSoftmax(ConvertContext& context) { return Softmax(context, /*log=*/false); }

absl::Status ConvertLogSoftmax(ConvertContext& context) { return Softmax(context, /*log=*/true); }

// 1 at the first of the largest elements along the axis, else 0: where an element is as large as the largest, and is
// the first such.
absl::Status ConvertHardmax(ConvertContext& context) {
  const bool flatten = context.opset() < kPerAxisSince;
  ASSIGN_OR_RETURN(int64_t axis, context.attributes().Int("axis", flatten ? 1 : -1));
  ValueId x = context.input(0);
  if (flatten) {
    x = context.AddNode("flat", graph::Flatten{axis}, {x});
    axis = 1;
  }
  const ValueId axes = context.AddInt64s("axes", {axis});
  const ValueId largest = context.AddNode("largest", graph::Reduce{graph::ReduceKind::kMax}, {x, axes});
  const ValueId equal = context.AddNode("equal", graph::Binary{BinaryKind::kEqual}, {x, largest});
  const ValueId flags = context.AddNode("flags", graph::Cast{tensor::DataType::kInt64}, {equal});
  const ValueId order = context.AddNode("order", graph::CumSum{}, {flags, axes});
  const ValueId is_first =
      context.AddNode("is_first", graph::Binary{BinaryKind::kEqual}, {order, context.AddInt64s("one", {1})});
  const ValueId chosen = context.AddNode("chosen", graph::Binary{BinaryKind::kAnd}, {equal, is_first});
  if (!flatten) return context.Emit(graph::CastLike{}, {chosen, x});
  const ValueId flat = context.AddNode("result", graph::CastLike{}, {chosen, x});
  const ValueId shape = context.AddNode("shape", graph::ShapeOf{}, {context.input(0)});
  return context.Emit(graph::Reshape{.allow_zero = true}, {flat, shape});
}

}  // namespace stillwave::onnx_import
