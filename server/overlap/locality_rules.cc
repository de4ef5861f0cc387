#include "server/overlap/locality_rules.h"

#include <algorithm>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"

namespace stillwave::overlap {
namespace {

using Result = absl::StatusOr<Locality>;

// --- Element by element, with numpy's broadcasting ---

int RankOf(const LocalityContext& context, size_t input) { return context.shape(input).rank(); }

// A constant may have its own value for each channel, but not for each time step.
bool IsConstantOverTime(const tensor::Shape& shape, int axis_from_end) {
  return shape.rank() < axis_from_end || shape[shape.rank() - axis_from_end] == 1;
}

// What two values know when their positions meet one to one. Nothing is shifted: a position that looks at samples
// around another one moves along with the series all the same.
Result Meet(const Locality& a, const Locality& b) {
  if (a.stride != b.stride) {
    return NotLocal(absl::StrCat("joins branches of strides ", a.stride, " and ", b.stride));
  }
  if (a.positions != b.positions) {
    return NotLocal(absl::StrCat("joins branches of ", a.positions, " and ", b.positions, " time steps"));
  }
  Locality out = a;
  out.first = std::min(a.first, b.first);
  out.last = std::max(a.last, b.last);
  out.left = std::max(a.left, b.left);
  out.right = std::max(a.right, b.right);
  return out;
}

Result Broadcast(const LocalityContext& context) {
  std::optional<Locality> out;
  int axis_from_end = 0;
  for (size_t i = 0; i < context.inputs.size(); ++i) {
    if (!context.inputs[i].has_value()) continue;
    const Locality& in = *context.inputs[i];
    if (RankOf(context, i) != context.output().rank()) return NotLocal("broadcasts the batch axis");
    if (!out.has_value()) {
      out = in;
      axis_from_end = context.output().rank() - in.time_axis;
      continue;
    }
    if (in.time_axis != out->time_axis) return NotLocal("joins branches whose time lies on different axes");
    ASSIGN_OR_RETURN(out, Meet(*out, in));
  }
  for (size_t i = 0; i < context.inputs.size(); ++i) {
    if (context.inputs[i].has_value() || context.node.inputs[i] == graph::kNoValue) continue;
    if (!IsConstantOverTime(context.shape(i), axis_from_end)) {
      return NotLocal("has a constant for each time step of the window");
    }
  }
  return *out;
}

Result Same(const LocalityContext& context) {
  if (!context.inputs[0].has_value()) return NotLocal("takes a parameter from the input");
  return *context.inputs[0];
}

// --- By family ---

Result LocalityOf(const graph::BatchNormalization&, const LocalityContext& context) {
  if (context.inputs[0].has_value() && context.inputs[0]->time_axis == 1) return NotLocal("normalizes each time step");
  return Same(context);
}
Result LocalityOf(const graph::Unary&, const LocalityContext& context) { return Same(context); }
Result LocalityOf(const graph::Cast&, const LocalityContext& context) { return Same(context); }
Result LocalityOf(const graph::Identity&, const LocalityContext& context) { return Same(context); }
Result LocalityOf(const graph::Dropout&, const LocalityContext& context) { return Same(context); }
Result LocalityOf(const graph::Binary&, const LocalityContext& context) { return Broadcast(context); }
Result LocalityOf(const graph::Where&, const LocalityContext& context) { return Broadcast(context); }

Result LocalityOf(const graph::GlobalPool&, const LocalityContext&) { return NotLocal("reads the whole window"); }
Result LocalityOf(const graph::InstanceNormalization&, const LocalityContext&) {
  return NotLocal("normalizes over the whole window");
}
Result LocalityOf(const graph::GroupNormalization&, const LocalityContext&) {
  return NotLocal("normalizes over the whole window");
}

Result LocalityOf(const graph::Lrn&, const LocalityContext& context) {
  if (context.inputs[0]->time_axis == 1) return NotLocal("normalizes over time steps");
  return Same(context);
}

Result LocalityOf(const graph::LayerNormalization& op, const LocalityContext& context) {
  if (!context.inputs[0].has_value()) return NotLocal("takes a parameter from the input");
  ASSIGN_OR_RETURN(const int axis, graph::NormalizeAxis(op.axis, RankOf(context, 0)));
  if (context.inputs[0]->time_axis >= axis) return NotLocal("normalizes over the whole window");
  return Broadcast(context);
}

Result LocalityOf(const graph::Softmax& op, const LocalityContext& context) {
  ASSIGN_OR_RETURN(const int axis, graph::NormalizeAxis(op.axis, RankOf(context, 0)));
  const int time_axis = context.inputs[0]->time_axis;
  if (time_axis == axis || (op.flatten_to_2d && time_axis > axis)) return NotLocal("normalizes over the whole window");
  return Same(context);
}

Result LocalityOf(const graph::Reduce& op, const LocalityContext& context) {
  ASSIGN_OR_RETURN(const std::vector<int> axes, graph::ReduceAxes(op, context.types()));
  Locality out = *context.inputs[0];
  if (std::binary_search(axes.begin(), axes.end(), out.time_axis)) return NotLocal("reads the whole window");
  if (std::binary_search(axes.begin(), axes.end(), 0)) return NotLocal("mixes the batch");
  if (!op.keep_dims) {
    const auto before = std::count_if(axes.begin(), axes.end(), [&](int axis) { return axis < out.time_axis; });
    out.time_axis -= static_cast<int>(before);
  }
  return out;
}

// {…, T, K} x {K, M}: rows stay what they are.
Result LocalityOf(const graph::MatMul&, const LocalityContext& context) {
  if (!context.inputs[0].has_value() || context.inputs[1].has_value())
    return NotLocal("multiplies what depends on time");
  const int rank = RankOf(context, 0);
  if (RankOf(context, 1) != 2 || rank < 2 || context.inputs[0]->time_axis == rank - 1) {
    return NotLocal("sums over the whole window");
  }
  return Same(context);
}

Result LocalityOf(const graph::Concat& op, const LocalityContext& context) {
  ASSIGN_OR_RETURN(const int axis, graph::NormalizeAxis(op.axis, context.output().rank()));
  std::optional<Locality> out;
  for (const std::optional<Locality>& in : context.inputs) {
    if (!in.has_value()) return NotLocal("joins a constant");
    if (in->time_axis == axis) return NotLocal("joins along time");
    if (out.has_value() && in->time_axis != out->time_axis) {
      return NotLocal("joins branches whose time lies on different axes");
    }
    if (!out.has_value()) {
      out = in;
      continue;
    }
    ASSIGN_OR_RETURN(out, Meet(*out, *in));
  }
  return *out;
}

Result LocalityOf(const graph::SplitPart& op, const LocalityContext& context) {
  ASSIGN_OR_RETURN(const int axis, graph::NormalizeAxis(op.axis, RankOf(context, 0)));
  if (context.inputs[0]->time_axis == axis) return NotLocal("splits time");
  return Same(context);
}

Result LocalityOf(const graph::Transpose& op, const LocalityContext& context) {
  Locality out = *context.inputs[0];
  const std::vector<int64_t> perm = graph::TransposePerm(op, RankOf(context, 0));
  if (perm[0] != 0) return NotLocal("moves the batch axis");
  out.time_axis = static_cast<int>(std::find(perm.begin(), perm.end(), out.time_axis) - perm.begin());
  return out;
}

// Axes of length 1 before the time axis come or go. Axis 0 stays the batch everywhere, because the strips of several
// series run together.
Result LocalityOf(const graph::Unsqueeze&, const LocalityContext& context) {
  Locality out = *context.inputs[0];
  ASSIGN_OR_RETURN(const std::vector<int64_t> axes, graph::IntegerValues(context.types()[1], "axes"));
  std::vector<int> added;
  for (const int64_t axis : axes) {
    ASSIGN_OR_RETURN(const int from_front, graph::NormalizeAxis(axis, context.output().rank()));
    added.push_back(from_front);
  }
  std::sort(added.begin(), added.end());
  if (!added.empty() && added.front() == 0) return NotLocal("moves the batch axis");
  for (const int axis : added) {
    if (axis <= out.time_axis) ++out.time_axis;
  }
  return out;
}

Result LocalityOf(const graph::Squeeze&, const LocalityContext& context) {
  Locality out = *context.inputs[0];
  const int time_axis = out.time_axis;
  if (context.shape(0)[time_axis] == 1) return NotLocal("takes a single time step");
  const std::vector<graph::InputType> types = context.types();
  if (types.size() < 2 || !types[1].present) {
    return NotLocal("drops the batch axis of a single window");
  }
  ASSIGN_OR_RETURN(const std::vector<int64_t> axes, graph::IntegerValues(types[1], "axes"));
  for (const int64_t axis : axes) {
    ASSIGN_OR_RETURN(const int from_front, graph::NormalizeAxis(axis, RankOf(context, 0)));
    if (from_front == 0) return NotLocal("drops the batch axis");
    if (from_front < time_axis) --out.time_axis;
  }
  return out;
}

Result LocalityOf(const graph::Gather& op, const LocalityContext& context) {
  if (!context.inputs[0].has_value() || context.inputs[1].has_value())
    return NotLocal("takes its indices from the input");
  ASSIGN_OR_RETURN(const int axis, graph::NormalizeAxis(op.axis, RankOf(context, 0)));
  Locality out = *context.inputs[0];
  if (out.time_axis == axis) return NotLocal("picks time steps");
  if (axis == 0) return NotLocal("moves the batch axis");
  if (axis < out.time_axis) out.time_axis += RankOf(context, 1) - 1;
  return out;
}

template <typename Op>
Result LocalityOf(const Op&, const LocalityContext&) {
  return NotLocal("may depend on the whole window");
}

}  // namespace

absl::Status NotLocal(absl::string_view why) { return absl::FailedPreconditionError(why); }

std::vector<graph::InputType> LocalityContext::types() const {
  std::vector<graph::InputType> types;
  for (const graph::ValueId id : node.inputs) {
    if (id == graph::kNoValue) {
      types.push_back({.present = false});
      continue;
    }
    const graph::Value& value = graph.value(id);
    types.push_back({true, value.data_type, value.shape, value.constant.get()});
  }
  return types;
}

absl::StatusOr<Locality> OutputLocality(const LocalityContext& context) {
  return std::visit(
      [&](const auto& op) -> absl::StatusOr<Locality> {
        // Of what has its rule in another file, the declaration there is the better match.
        return LocalityOf(op, context);
      },
      context.node.op);
}

}  // namespace stillwave::overlap
