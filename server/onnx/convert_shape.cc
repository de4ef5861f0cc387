// Operators that give the same elements another shape or order, and Shape, Size and Range.
#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/status_macros.h"
#include "server/onnx/op_converters.h"

namespace stillwave::onnx_import {
namespace {

constexpr int64_t kReshapeHasInputSince = 5;
constexpr int64_t kAxesAreInputSince = 13;  // of Squeeze and Unsqueeze

}  // namespace

absl::Status ConvertReshape(ConvertContext& context) {
  ASSIGN_OR_RETURN(const bool allow_zero, context.attributes().Bool("allowzero", false));
  if (context.opset() >= kReshapeHasInputSince) return context.Emit(graph::Reshape{allow_zero});
  if (!context.attributes().Has("shape")) return absl::InvalidArgumentError("attribute 'shape' is missing");
  ASSIGN_OR_RETURN(const std::vector<int64_t> shape, context.attributes().Ints("shape"));
  return context.Emit(graph::Reshape{}, {context.input(0), context.AddInt64s("shape", shape)});
}

absl::Status ConvertFlatten(ConvertContext& context) {
  ASSIGN_OR_RETURN(const int64_t axis, context.attributes().Int("axis", 1));
  return context.Emit(graph::Flatten{axis});
}

absl::Status ConvertSqueeze(ConvertContext& context) {
  if (!context.attributes().Has("axes")) return context.Emit(graph::Squeeze{});
  ASSIGN_OR_RETURN(const std::vector<int64_t> axes, context.attributes().Ints("axes"));
  return context.Emit(graph::Squeeze{}, {context.input(0), context.AddInt64s("axes", axes)});
}

absl::Status ConvertUnsqueeze(ConvertContext& context) {
  if (context.opset() >= kAxesAreInputSince) return context.Emit(graph::Unsqueeze{});
  if (!context.attributes().Has("axes")) return absl::InvalidArgumentError("attribute 'axes' is missing");
  ASSIGN_OR_RETURN(const std::vector<int64_t> axes, context.attributes().Ints("axes"));
  return context.Emit(graph::Unsqueeze{}, {context.input(0), context.AddInt64s("axes", axes)});
}

absl::Status ConvertTranspose(ConvertContext& context) {
  ASSIGN_OR_RETURN(std::vector<int64_t> perm, context.attributes().Ints("perm"));
  if (perm.size() > tensor::kMaxRank) {
    return absl::InvalidArgumentError(
        absl::StrCat("perm must not have more than ", tensor::kMaxRank, " entries; has ", perm.size()));
  }
  std::vector<int64_t> axes(perm.size());
  std::iota(axes.begin(), axes.end(), int64_t{0});
  if (!std::is_permutation(perm.begin(), perm.end(), axes.begin(), axes.end())) {
    return absl::InvalidArgumentError(
        absl::StrCat("perm must name each axis once; was [", absl::StrJoin(perm, ","), "]"));
  }
  return context.Emit(graph::Transpose{std::move(perm)});
}

absl::Status ConvertExpand(ConvertContext& context) { return context.Emit(graph::Expand{}); }

absl::Status ConvertShape(ConvertContext& context) {
  graph::ShapeOf shape;
  ASSIGN_OR_RETURN(shape.start, context.attributes().Int("start", shape.start));
  ASSIGN_OR_RETURN(shape.end, context.attributes().Int("end", shape.end));
  return context.Emit(shape);
}

absl::Status ConvertSize(ConvertContext& context) { return context.Emit(graph::SizeOf{}); }

absl::Status ConvertRange(ConvertContext& context) { return context.Emit(graph::Range{}); }

}  // namespace stillwave::onnx_import
