// Reductions, extremes and running sums. The axes of reductions were an attribute before opset 18 (ReduceSum: 13).
#include <vector>

#include "absl/status/status.h"
#include "server/base/status_macros.h"
#include "server/onnx/op_converters.h"

namespace stillwave::onnx_import {
namespace {

absl::Status ArgReduce(ConvertContext& context, bool max) {
  graph::ArgReduce arg;
  arg.max = max;
  ASSIGN_OR_RETURN(arg.axis, context.attributes().Int("axis", 0));
  ASSIGN_OR_RETURN(arg.keep_dims, context.attributes().Bool("keepdims", true));
  ASSIGN_OR_RETURN(arg.select_last_index, context.attributes().Bool("select_last_index", false));
  return context.Emit(arg);
}

}  // namespace

absl::Status ConvertReduceKind(ConvertContext& context, graph::ReduceKind kind) {
  graph::Reduce reduce;
  reduce.kind = kind;
  ASSIGN_OR_RETURN(reduce.keep_dims, context.attributes().Bool("keepdims", true));
  ASSIGN_OR_RETURN(reduce.noop_with_empty_axes, context.attributes().Bool("noop_with_empty_axes", false));
  ASSIGN_OR_RETURN(const std::vector<int64_t> axes, context.attributes().Ints("axes"));
  if (axes.empty()) return context.Emit(reduce);
  return context.Emit(reduce, {context.input(0), context.AddInt64s("axes", axes)});
}

absl::Status ConvertReduceMean(ConvertContext& context) { return ConvertReduceKind(context, graph::ReduceKind::kMean); }

absl::Status ConvertReduceSum(ConvertContext& context) { return ConvertReduceKind(context, graph::ReduceKind::kSum); }

absl::Status ConvertReduceMax(ConvertContext& context) { return ConvertReduceKind(context, graph::ReduceKind::kMax); }

absl::Status ConvertArgMax(ConvertContext& context) { return ArgReduce(context, /*max=*/true); }

absl::Status ConvertArgMin(ConvertContext& context) { return ArgReduce(context, /*max=*/false); }

absl::Status ConvertCumSum(ConvertContext& context) {
  graph::CumSum sum;
  ASSIGN_OR_RETURN(sum.exclusive, context.attributes().Bool("exclusive", false));
  ASSIGN_OR_RETURN(sum.reverse, context.attributes().Bool("reverse", false));
  return context.Emit(sum);
}

}  // namespace stillwave::onnx_import
