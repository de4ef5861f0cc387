// Softmax and LogSoftmax. Before opset 13 the default axis was 1, and the input was seen as 2-D around the axis.
#include "absl/status/status.h"
#include "server/base/status_macros.h"
#include "server/onnx/op_converters.h"

namespace stillwave::onnx_import {
namespace {

absl::Status Softmax(ConvertContext& context, bool log) {
  constexpr int64_t kPerAxisSince = 13;
  graph::Softmax softmax;
  softmax.log = log;
  softmax.flatten_to_2d = context.opset() < kPerAxisSince;
  ASSIGN_OR_RETURN(softmax.axis, context.attributes().Int("axis", softmax.flatten_to_2d ? 1 : -1));
  return context.Emit(softmax);
}

}  // namespace

absl::Status ConvertSoftmax(ConvertContext& context) { return Softmax(context, /*log=*/false); }

absl::Status ConvertLogSoftmax(ConvertContext& context) { return Softmax(context, /*log=*/true); }

}  // namespace stillwave::onnx_import
