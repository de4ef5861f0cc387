// Operators that pick, join, part, repeat, regroup or surround elements: Concat, Split, Slice, Gather, Tile, Pad, …
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/onnx/limits.h"
#include "server/onnx/names.h"
#include "server/onnx/op_converters.h"

namespace stillwave::onnx_import {
namespace {

using graph::PadMode;
using graph::ValueId;

constexpr int64_t kSliceHasInputsSince = 10;
constexpr int64_t kPadHasInputsSince = 11;
constexpr int64_t kPadWrapsSince = 19;

absl::StatusOr<PadMode> ReadPadMode(const ConvertContext& context) {
  ASSIGN_OR_RETURN(const std::string mode, context.attributes().String("mode", "constant"));
  if (mode == "constant") return PadMode::kConstant;
  if (mode == "reflect") return PadMode::kReflect;
  if (mode == "edge") return PadMode::kEdge;
  if (mode == "wrap" && context.opset() >= kPadWrapsSince) return PadMode::kWrap;
  return absl::InvalidArgumentError(absl::StrCat("mode must be constant, reflect, edge or (since opset ",
                                                 kPadWrapsSince, ") wrap; was ", Quoted(mode)));
}

absl::StatusOr<int64_t> ReadBlockSize(const ConvertContext& context) {
  if (!context.attributes().Has("blocksize")) return absl::InvalidArgumentError("attribute 'blocksize' is missing");
  ASSIGN_OR_RETURN(const int64_t block, context.attributes().Int("blocksize", 1));
  if (block < 1 || block > kMaxWindowExtent) {
    return absl::InvalidArgumentError(absl::StrCat("blocksize must be from 1 to ", kMaxWindowExtent, "; was ", block));
  }
  return block;
}

}  // namespace

absl::Status ConvertConcat(ConvertContext& context) {
  // Before opset 4 the axis had a default.
  if (!context.attributes().Has("axis") && context.opset() >= 4) {
    return absl::InvalidArgumentError("attribute 'axis' is missing");
  }
  ASSIGN_OR_RETURN(const int64_t axis, context.attributes().Int("axis", 1));
  return context.Emit(graph::Concat{axis});
}

absl::Status ConvertSplit(ConvertContext& context) {
  const AttributeReader& attributes = context.attributes();
  graph::SplitPart part;
  ASSIGN_OR_RETURN(part.axis, attributes.Int("axis", 0));
  part.parts = static_cast<int64_t>(context.output_count());
  ASSIGN_OR_RETURN(const int64_t num_outputs, attributes.Int("num_outputs", part.parts));
  if (num_outputs != part.parts) {
    return absl::InvalidArgumentError(
        absl::StrCat("num_outputs must be the number of outputs, ", part.parts, "; was ", num_outputs));
  }
  std::vector<ValueId> inputs = {context.input(0)};
  const bool has_input = context.input(1) != graph::kNoValue;
  if (has_input && (attributes.Has("num_outputs") || attributes.Has("split"))) {
    return absl::InvalidArgumentError("the parts must be said once; they stand in an input and in an attribute");
  }
  if (has_input) inputs.push_back(context.input(1));
  if (attributes.Has("split")) {
    ASSIGN_OR_RETURN(const std::vector<int64_t> split, attributes.Ints("split"));
    inputs.push_back(context.AddInt64s("split", split));
  }
  for (size_t i = 0; i < context.output_count(); ++i) {
    part.index = static_cast<int64_t>(i);
    if (i == 0 || context.OutputUsed(i)) RETURN_IF_ERROR(context.EmitOutput(i, part, inputs));
  }
  return absl::OkStatus();
}

absl::Status ConvertTile(ConvertContext& context) { return context.Emit(graph::Tile{}); }

absl::Status ConvertDepthToSpace(ConvertContext& context) {
  graph::DepthToSpace op;
  ASSIGN_OR_RETURN(op.block, ReadBlockSize(context));
  ASSIGN_OR_RETURN(const std::string mode, context.attributes().String("mode", "DCR"));
  if (mode != "DCR" && mode != "CRD") {
    return absl::InvalidArgumentError(absl::StrCat("mode must be DCR or CRD; was ", Quoted(mode)));
  }
  op.column_row_depth = mode == "CRD";
  return context.Emit(op);
}

absl::Status ConvertSpaceToDepth(ConvertContext& context) {
  ASSIGN_OR_RETURN(const int64_t block, ReadBlockSize(context));
  return context.Emit(graph::SpaceToDepth{block});
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
  const absl::string_view name = context.opset() == 1 ? "paddings" : "pads";
  if (!context.attributes().Has(name)) {
    return absl::InvalidArgumentError(absl::StrCat("attribute ", Quoted(name), " is missing"));
  }
  ASSIGN_OR_RETURN(const std::vector<int64_t> pads, context.attributes().Ints(name));
  ASSIGN_OR_RETURN(const float value, context.attributes().AnyFloat("value", 0));
  return context.Emit(graph::Pad{mode},
                      {context.input(0), context.AddInt64s("pads", pads), context.AddFloatScalar("value", value)});
}

}  // namespace stillwave::onnx_import
