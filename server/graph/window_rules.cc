// Shapes of what slides a window over the spatial axes.
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/graph/shape_rules_movement.h"
#include "server/graph/transposed_window.h"

namespace stillwave::graph::rules {
namespace {

using tensor::DataType;
using tensor::Shape;

// {N,channels,output…}
Shape OutputShape(const Shape& x, int64_t channels, const ResolvedWindow& window) {
  Shape y({x[0], channels});
  for (const int64_t length : window.output) y.Append(length);
  return y;
}

// Weights are {.,.,kernel…}.
absl::Status CheckKernel(const Window& window, const Shape& w) {
  for (int axis = 2; axis < w.rank(); ++axis) {
    const int64_t kernel = window.kernel[static_cast<size_t>(axis - 2)];
    if (kernel != w[axis]) {
      return absl::InvalidArgumentError(absl::StrCat("kernel_shape says ", kernel, ", the weights are ", w.ToString()));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckWeightsRank(const Shape& w, const Shape& x) {
  if (w.rank() == x.rank()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("weights ", w.ToString(), " must have the input's rank ", x.rank(),
                                                 "; the input is ", x.ToString()));
}

absl::StatusOr<Shape> PooledShape(const Window& sliding, bool ceil_mode, const Shape& x) {
  ASSIGN_OR_RETURN(const ResolvedWindow window, ResolveWindow(sliding, ceil_mode, x));
  for (size_t i = 0; i < window.output.size(); ++i) {
    const int64_t extent = (sliding.kernel[i] - 1) * sliding.dilations[i] + 1;
    if (window.pads_begin[i] >= extent || window.pads_end[i] >= extent) {
      return absl::InvalidArgumentError(absl::StrCat("pads must be smaller than the kernel, which spans ", extent,
                                                     "; were ", window.pads_begin[i], " and ", window.pads_end[i]));
    }
  }
  return OutputShape(x, x[1], window);
}

}  // namespace

Result Infer(const Conv& op, Inputs inputs) {
  RETURN_IF_ERROR(RequireFloat(inputs));
  const Shape& x = inputs[0].shape;
  const Shape& w = inputs[1].shape;
  RETURN_IF_ERROR(CheckWeightsRank(w, x));
  ASSIGN_OR_RETURN(const ResolvedWindow window, ResolveWindow(op.window, /*ceil_mode=*/false, x));
  const int64_t channels = x[1];
  if (op.group < 1 || channels % op.group != 0 || w[0] % op.group != 0 || w[0] == 0) {
    return absl::InvalidArgumentError(absl::StrCat("group must be positive and divide ", channels, " input and ", w[0],
                                                   " output channels; was ", op.group));
  }
  if (w[1] != channels / op.group) {
    return absl::InvalidArgumentError(
        absl::StrCat("weights ", w.ToString(), " want ", w[1] * op.group, " input channels; the input has ", channels));
  }
  RETURN_IF_ERROR(CheckKernel(op.window, w));
  if (inputs.size() > 2 && inputs[2].present) RETURN_IF_ERROR(RequireLength(inputs[2], "bias", w[0]));
  return TensorType{DataType::kFloat32, OutputShape(x, w[0], window)};
}

Result Infer(const ConvTranspose& op, Inputs inputs) {
  RETURN_IF_ERROR(RequireFloat(inputs));
  const Shape& x = inputs[0].shape;
  const Shape& w = inputs[1].shape;
  RETURN_IF_ERROR(CheckWeightsRank(w, x));
  ASSIGN_OR_RETURN(const ResolvedWindow window, ResolveTransposedWindow(op, x));
  if (w[0] != x[1]) {
    return absl::InvalidArgumentError(
        absl::StrCat("weights ", w.ToString(), " want ", w[0], " input channels; the input has ", x[1]));
  }
  if (op.group < 1 || w[0] % op.group != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("group must be positive and divide ", w[0], " input channels; was ", op.group));
  }
  RETURN_IF_ERROR(CheckKernel(op.window, w));
  int64_t channels = 0;
  if (w[1] == 0 || __builtin_mul_overflow(w[1], op.group, &channels)) {
    return absl::InvalidArgumentError(
        absl::StrCat("weights ", w.ToString(), " in ", op.group, " groups give no output"));
  }
  if (inputs.size() > 2 && inputs[2].present) RETURN_IF_ERROR(RequireLength(inputs[2], "bias", channels));
  return TensorType{DataType::kFloat32, OutputShape(x, channels, window)};
}

Result Infer(const Pool& op, Inputs inputs) {
  RETURN_IF_ERROR(RequireFloat(inputs));
  if (op.kind == PoolKind::kLp && op.p < 1) {
    return absl::InvalidArgumentError(absl::StrCat("p must be positive; was ", op.p));
  }
  ASSIGN_OR_RETURN(const Shape y, PooledShape(op.window, op.ceil_mode, inputs[0].shape));
  return TensorType{DataType::kFloat32, y};
}

Result Infer(const MaxPoolIndices& op, Inputs inputs) {
  RETURN_IF_ERROR(RequireFloat(inputs));
  if (op.storage_order != 0 && op.storage_order != 1) {
    return absl::InvalidArgumentError(absl::StrCat("storage_order must be 0 or 1; was ", op.storage_order));
  }
  ASSIGN_OR_RETURN(const Shape y, PooledShape(op.window, op.ceil_mode, inputs[0].shape));
  return TensorType{DataType::kInt64, y};
}

Result Infer(const GlobalPool& op, Inputs inputs) {
  RETURN_IF_ERROR(RequireFloat(inputs));
  if (op.kind == PoolKind::kLp && op.p < 1) {
    return absl::InvalidArgumentError(absl::StrCat("p must be positive; was ", op.p));
  }
  Shape y = inputs[0].shape;
  if (y.rank() < 3) {
    return absl::InvalidArgumentError(
        absl::StrCat("the input must be N×C with one or more spatial axes; was ", y.ToString()));
  }
  for (int axis = 2; axis < y.rank(); ++axis) {
    if (y[axis] == 0) return absl::InvalidArgumentError("cannot pool over an empty axis");
    y[axis] = 1;
  }
  return TensorType{DataType::kFloat32, y};
}

}  // namespace stillwave::graph::rules
