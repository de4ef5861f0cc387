#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/overlap/locality_rules.h"

namespace stillwave::overlap {
namespace {

// REQUIRES: b > 0.
int64_t CeilDivide(int64_t a, int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }
int64_t FloorDivide(int64_t a, int64_t b) { return -CeilDivide(-a, b); }

// Position j of the output looks at positions [step*j + begin, step*j + begin + reach] of `in`.
Locality Slide(const Locality& in, int64_t begin, int64_t reach, int64_t step, int64_t positions) {
  Locality out;
  out.time_axis = in.time_axis;
  out.positions = positions;
  out.stride = in.stride * step;
  out.first = in.first + in.stride * begin;
  out.last = in.last + in.stride * (begin + reach);
  out.left = std::clamp<int64_t>(CeilDivide(in.left - begin, step), 0, positions);
  // The last position that looks at nothing of the right edge, and at nothing beyond it.
  const int64_t last_inside = FloorDivide(in.positions - in.right - 1 - begin - reach, step);
  out.right = std::clamp<int64_t>(positions - 1 - last_inside, 0, positions);
  return out;
}

absl::StatusOr<Locality> SlideWindow(const graph::Window& window, bool ceil_mode, const LocalityContext& context) {
  const Locality& in = *context.inputs[0];
  ASSIGN_OR_RETURN(const graph::ResolvedWindow resolved, graph::ResolveWindow(window, ceil_mode, context.shape(0)));
  if (in.time_axis < 2) return NotLocal("slides over other axes and sums over time");
  const auto axis = static_cast<size_t>(in.time_axis - 2);
  const int64_t reach = (window.kernel[axis] - 1) * window.dilations[axis];
  // A kernel as long as the window is a global operation by another name.
  if (resolved.output[axis] == 1) return NotLocal("looks at the window once, with a kernel over all of it");
  return Slide(in, -resolved.pads_begin[axis], reach, window.strides[axis], resolved.output[axis]);
}

}  // namespace

absl::StatusOr<Locality> LocalityOf(const graph::Conv& op, const LocalityContext& context) {
  if (!context.inputs[0].has_value()) return NotLocal("has weights that depend on the input");
  for (size_t i = 1; i < context.inputs.size(); ++i) {
    if (context.inputs[i].has_value()) return NotLocal("has weights that depend on the input");
  }
  return SlideWindow(op.window, /*ceil_mode=*/false, context);
}

absl::StatusOr<Locality> LocalityOf(const graph::Pool& op, const LocalityContext& context) {
  return SlideWindow(op.window, op.ceil_mode, context);
}

absl::StatusOr<Locality> LocalityOf(const graph::Slice&, const LocalityContext& context) {
  if (!context.inputs[0].has_value()) return NotLocal("takes its bounds from the input");
  const Locality& in = *context.inputs[0];
  ASSIGN_OR_RETURN(const std::vector<graph::SliceRange> ranges, graph::SliceRanges(context.types()));
  const graph::SliceRange& range = ranges[static_cast<size_t>(in.time_axis)];
  if (range.step < 0) return NotLocal("turns time around");
  if (range.count <= 1) return NotLocal("takes a single time step");
  return Slide(in, range.begin, /*reach=*/0, range.step, range.count);
}

absl::StatusOr<Locality> LocalityOf(const graph::Pad& op, const LocalityContext& context) {
  if (!context.inputs[0].has_value()) return NotLocal("takes its amounts from the input");
  const Locality& in = *context.inputs[0];
  ASSIGN_OR_RETURN(const std::vector<graph::PadAmount> amounts, graph::PadAmounts(context.types()));
  const graph::PadAmount& amount = amounts[static_cast<size_t>(in.time_axis)];
  const bool pads_time = amount.begin > 0 || amount.end > 0;
  // The others would have to look at what strips of a window do not have.
  if (pads_time && op.mode != graph::PadMode::kConstant && op.mode != graph::PadMode::kEdge) {
    return NotLocal("pads with samples from elsewhere in the window");
  }
  return Slide(in, -amount.begin, /*reach=*/0, /*step=*/1, context.output()[in.time_axis]);
}

// Step t*factor + p is channel block p of step t.
absl::StatusOr<Locality> LocalityOf(const graph::Interleave& op, const LocalityContext& context) {
  Locality out = *context.inputs[0];
  if (out.time_axis != 2) return NotLocal("mixes channels and time");
  if (out.stride % op.factor != 0) {
    return NotLocal(absl::StrCat("makes ", op.factor, " steps of each, which lie ", out.stride,
                                 out.stride == 1 ? " sample" : " samples", " apart"));
  }
  out.stride /= op.factor;
  out.positions *= op.factor;
  out.left *= op.factor;
  out.right *= op.factor;
  out.first -= out.stride * (op.factor - 1);
  return out;
}

}  // namespace stillwave::overlap
