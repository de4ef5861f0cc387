// ConvTranspose: each input element adds its weighted kernel to the output.
#include <algorithm>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "tests/support/reference_ops.h"

namespace stillwave::test_support {
namespace {

using graph::AutoPad;
using tensor::Shape;

struct AxisOutput {
  int64_t length = 0;
  int64_t pad_begin = 0;
};

// ONNX, ConvTranspose: total_padding = stride * (input - 1) + output_padding + reach - output_shape; an odd one pads
// more at the end with SAME_UPPER, more at the start without.
AxisOutput PlaceOutput(const graph::ConvTranspose& op, size_t axis, int64_t input) {
  const graph::Window& window = op.window;
  const int64_t reach = (window.kernel[axis] - 1) * window.dilations[axis] + 1;
  const int64_t whole = window.strides[axis] * (input - 1) + op.output_padding[axis] + reach;
  const bool same = window.auto_pad == AutoPad::kSameUpper || window.auto_pad == AutoPad::kSameLower;
  if (!same && op.output_shape.empty()) {
    return {whole - window.pads_begin[axis] - window.pads_end[axis], window.pads_begin[axis]};
  }
  const int64_t length = op.output_shape.empty() ? input * window.strides[axis] : op.output_shape[axis];
  const int64_t total = std::max<int64_t>(whole - length, 0);
  return {length, window.auto_pad == AutoPad::kSameUpper ? total / 2 : (total + 1) / 2};
}

}  // namespace

absl::StatusOr<RefTensor> Evaluate(const graph::ConvTranspose& op, RefInputs inputs) {
  RETURN_IF_ERROR(RequireReal(inputs));
  const RefTensor& x = *inputs[0];
  const RefTensor& w = *inputs[1];
  if (x.shape.rank() != w.shape.rank() || w.shape[0] != x.shape[1]) {
    return absl::InvalidArgumentError(absl::StrCat("W ", w.shape.ToString(), " does not fit X ", x.shape.ToString()));
  }
  const int64_t group_outputs = w.shape[1];
  const int64_t group_inputs = x.shape[1] / op.group;
  Shape shape({x.shape[0], group_outputs * op.group});
  std::vector<AxisOutput> axes;
  for (size_t i = 0; i < op.window.kernel.size(); ++i) {
    axes.push_back(PlaceOutput(op, i, x.shape[static_cast<int>(i) + 2]));
    shape.Append(axes.back().length);
  }
  RefTensor y = ZeroTensor(x.data_type, shape);
  Coordinates at(static_cast<size_t>(shape.rank()), 0);
  do {
    if (Given(inputs, 2)) y.reals[PositionOf(shape, at)] = inputs[2]->reals[static_cast<size_t>(at[1])];
  } while (NextCoordinates(shape, at));
  const auto spread = [&](const Coordinates& from) {
    Coordinates tap(static_cast<size_t>(w.shape.rank()), 0);  // {channel, output of the group, kernel…}
    do {
      if (tap[0] != from[1]) continue;
      Coordinates to = {from[0], from[1] / group_inputs * group_outputs + tap[1]};
      bool inside = true;
      for (size_t i = 0; i < axes.size(); ++i) {
        to.push_back(from[i + 2] * op.window.strides[i] + tap[i + 2] * op.window.dilations[i] - axes[i].pad_begin);
        inside = inside && to.back() >= 0 && to.back() < axes[i].length;
      }
      if (!inside) continue;
      y.reals[PositionOf(shape, to)] += x.reals[PositionOf(x.shape, from)] * w.reals[PositionOf(w.shape, tap)];
    } while (NextCoordinates(w.shape, tap));
  };
  Coordinates from(static_cast<size_t>(x.shape.rank()), 0);
  do {
    spread(from);
  } while (NextCoordinates(x.shape, from));
  for (double& value : y.reals) value = op.fused_relu && value < 0 ? 0 : value;
  return y;
}

}  // namespace stillwave::test_support
