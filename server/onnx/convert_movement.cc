// Operators that pick, join or surround elements: Concat, Slice, Gather, Pad.
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/onnx/names.h"
#include "server/onnx/op_converters.h"

namespace stillwave::onnx_import {
namespace {

using graph::PadMode;
using graph::ValueId;

constexpr int64_t kSliceHasInputsSince = 10;
constexpr int64_t kPadHasInputsSince = 11;

absl::StatusOr<PadMode> ReadPadMode(const ConvertContext& context) {
  ASSIGN_OR_RETURN(const std::string mode, context.attributes().String("mode", "constant"));
  if (mode == "constant") return PadMode::kConstant;
  if (mode == "reflect") return PadMode::kReflect;
  if (mode == "edge") return PadMode::kEdge;
  if (mode == "wrap") return absl::UnimplementedError("mode 'wrap' is not supported");
  return absl::InvalidArgumentError(absl::StrCat("mode must be constant, reflect or edge; was ", Quoted(mode)));
}

}  // namespace

absl::Status ConvertConcat(ConvertContext& context) {
  if (!context.attributes().Has("axis")) return absl::InvalidArgumentError("attribute 'axis' is missing");
  ASSIGN_OR_RETURN(const int64_t axis, context.attributes().Int("axis", 0));
  return context.Emit(graph::Concat{axis});
}

absl::Status ConvertGather(ConvertContext& context) {
  ASSIGN_OR_RETURN(const int64_t axis, context.attributes().Int("axis", 0));
  return context.Emit(graph::Gather{axis});
}

absl::Status ConvertSlice(ConvertContext& context) {
  if (context.opset() >= kSliceHasInputsSince) return context.Emit(graph::Slice{});
  const AttributeReader& attributes = context.attributes();
  ASSIGN_OR_RETURN(const std::vector<int64_t> starts, attributes.Ints("starts"));
  ASSIGN_OR_RETURN(const std::vector<int64_t> ends, attributes.Ints("ends"));
  ASSIGN_OR_RETURN(const std::vector<int64_t> axes, attributes.Ints("axes"));
  if (starts.empty() || starts.size() != ends.size() || (attributes.Has("axes") && axes.size() != starts.size())) {
    return absl::InvalidArgumentError(absl::StrCat("starts, ends and axes must have one entry for each axis; have ",
                                                   starts.size(), ", ", ends.size(), " and ", axes.size()));
  }
  std::vector<ValueId> inputs = {context.input(0), context.AddInt64s("starts", starts),
                                 context.AddInt64s("ends", ends)};
  if (attributes.Has("axes")) inputs.push_back(context.AddInt64s("axes", axes));
  return context.Emit(graph::Slice{}, std::move(inputs));
}

absl::Status ConvertPad(ConvertContext& context) {
  ASSIGN_OR_RETURN(const PadMode mode, ReadPadMode(context));
  if (context.opset() >= kPadHasInputsSince) return context.Emit(graph::Pad{mode});
  if (!context.attributes().Has("pads")) return absl::InvalidArgumentError("attribute 'pads' is missing");
  ASSIGN_OR_RETURN(const std::vector<int64_t> pads, context.attributes().Ints("pads"));
  ASSIGN_OR_RETURN(const float value, context.attributes().AnyFloat("value", 0));
  return context.Emit(graph::Pad{mode},
                      {context.input(0), context.AddInt64s("pads", pads), context.AddFloatScalar("value", value)});
}

}  // namespace stillwave::onnx_import
