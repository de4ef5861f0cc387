// ReduceMean, ReduceSum and ReduceMax. Their axes were an attribute before opset 18 (ReduceSum: 13).
#include <vector>

#include "absl/status/status.h"
#include "server/base/status_macros.h"
#include "server/onnx/op_converters.h"

namespace stillwave::onnx_import {
namespace {

absl::Status Reduce(ConvertContext& context, graph::ReduceKind kind) {
  graph::Reduce reduce;
  reduce.kind = kind;
  ASSIGN_OR_RETURN(reduce.keep_dims, context.attributes().Bool("keepdims", true));
  ASSIGN_OR_RETURN(reduce.noop_with_empty_axes, context.attributes().Bool("noop_with_empty_axes", false));
  ASSIGN_OR_RETURN(const std::vector<int64_t> axes, context.attributes().Ints("axes"));
  if (axes.empty()) return context.Emit(reduce);
  return context.Emit(reduce, {context.input(0), context.AddInt64s("axes", axes)});
}

}  // namespace

absl::Status ConvertReduceMean(ConvertContext& context) { return Reduce(context, graph::ReduceKind::kMean); }

absl::Status ConvertReduceSum(ConvertContext& context) { return Reduce(context, graph::ReduceKind::kSum); }

absl::Status ConvertReduceMax(ConvertContext& context) { return Reduce(context, graph::ReduceKind::kMax); }

}  // namespace stillwave::onnx_import
