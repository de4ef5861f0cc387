// Conv, ConvTranspose, the pools and the global pools: everything that slides a window over the spatial axes.
#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "tests/support/reference_ops.h"

namespace stillwave::test_support {
namespace {

using graph::AutoPad;
using graph::PoolKind;
using graph::Window;
using tensor::Shape;

// One element of the window that lies inside the input.
struct Tap {
  size_t kernel_position;  // row-major in the kernel
  size_t input_position;   // row-major in one channel's plane
};

// The window at one output position.
struct Placement {
  std::vector<Tap> taps;
  int64_t padded_taps = 0;  // how many lie inside the input or its padding
};

// The window along one spatial axis.
struct AxisGeometry {
  int64_t length = 0;  // of the input
  int64_t kernel = 1, stride = 1, dilation = 1;
  int64_t pad_begin = 0, pad_end = 0;
  int64_t output = 0;
};

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// ONNX, Conv and pooling: how long the output is and where padding goes.
absl::StatusOr<AxisGeometry> PlaceAxis(const Window& window, size_t axis, bool ceil_mode, int64_t length) {
  AxisGeometry g{.length = length,
                 .kernel = window.kernel[axis],
                 .stride = window.strides[axis],
                 .dilation = window.dilations[axis]};
  const int64_t reach = (g.kernel - 1) * g.dilation + 1;
  switch (window.auto_pad) {
    case AutoPad::kNotSet:
      g.pad_begin = window.pads_begin[axis];
      g.pad_end = window.pads_end[axis];
      break;
    case AutoPad::kValid:
      break;
    case AutoPad::kSameUpper:
    case AutoPad::kSameLower: {
      // output = ceil(input / stride); SAME_UPPER puts the odd element of padding at the end.
      const int64_t total = std::max<int64_t>((CeilDiv(length, g.stride) - 1) * g.stride + reach - length, 0);
      const int64_t smaller = total / 2;
      g.pad_begin = window.auto_pad == AutoPad::kSameUpper ? smaller : total - smaller;
      g.pad_end = total - g.pad_begin;
      break;
    }
  }
  const int64_t room = length + g.pad_begin + g.pad_end - reach;
  if (room < 0) {
    return absl::InvalidArgumentError(absl::StrCat("a window of ", reach, " does not fit into ", length));
  }
  g.output = (ceil_mode ? CeilDiv(room, g.stride) : room / g.stride) + 1;
  // A last window that would start in the end's padding is left out.
  if (ceil_mode && (g.output - 1) * g.stride >= length + g.pad_begin) --g.output;
  return g;
}

absl::StatusOr<std::vector<AxisGeometry>> PlaceAxes(const Window& window, bool ceil_mode, const Shape& input) {
  if (input.rank() < 3 || static_cast<size_t>(input.rank() - 2) != window.kernel.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("a window of ", window.kernel.size(), " axes cannot slide over ", input.ToString()));
  }
  std::vector<AxisGeometry> axes;
  for (size_t axis = 0; axis < window.kernel.size(); ++axis) {
    ASSIGN_OR_RETURN(AxisGeometry placed, PlaceAxis(window, axis, ceil_mode, input[static_cast<int>(axis) + 2]));
    axes.push_back(placed);
  }
  return axes;
}

Shape KernelShape(const std::vector<AxisGeometry>& axes) {
  Shape shape;
  for (const AxisGeometry& axis : axes) shape.Append(axis.kernel);
  return shape;
}

Shape InputPlane(const std::vector<AxisGeometry>& axes) {
  Shape shape;
  for (const AxisGeometry& axis : axes) shape.Append(axis.length);
  return shape;
}

Shape OutputPlane(const std::vector<AxisGeometry>& axes) {
  Shape shape;
  for (const AxisGeometry& axis : axes) shape.Append(axis.output);
  return shape;
}

Placement PlaceWindow(const std::vector<AxisGeometry>& axes, const Coordinates& output) {
  const Shape kernel = KernelShape(axes);
  const Shape plane = InputPlane(axes);
  Placement placement;
  Coordinates k(axes.size(), 0);
  Coordinates at(axes.size(), 0);
  do {
    bool inside = true;
    bool padded = true;
    for (size_t i = 0; i < axes.size(); ++i) {
      const AxisGeometry& axis = axes[i];
      at[i] = output[i] * axis.stride - axis.pad_begin + k[i] * axis.dilation;
      inside = inside && at[i] >= 0 && at[i] < axis.length;
      padded = padded && at[i] < axis.length + axis.pad_end;
    }
    if (inside) placement.taps.push_back({PositionOf(kernel, k), PositionOf(plane, at)});
    if (padded) ++placement.padded_taps;
  } while (NextCoordinates(kernel, k));
  return placement;
}

// For every output position in row-major order.
std::vector<Placement> PlaceWindows(const std::vector<AxisGeometry>& axes) {
  const Shape plane = OutputPlane(axes);
  std::vector<Placement> placements;
  if (plane.num_elements() == 0) return placements;
  Coordinates at(axes.size(), 0);
  do {
    placements.push_back(PlaceWindow(axes, at));
  } while (NextCoordinates(plane, at));
  return placements;
}

// {N, channels, output plane…}
Shape OutputShape(int64_t samples, int64_t channels, const std::vector<AxisGeometry>& axes) {
  Shape shape({samples, channels});
  for (const AxisGeometry& axis : axes) shape.Append(axis.output);
  return shape;
}

absl::Status CheckConv(const graph::Conv& op, RefInputs inputs) {
  const Shape& x = inputs[0]->shape;
  const Shape& w = inputs[1]->shape;
  if (x.rank() != w.rank() || x.rank() < 3) {
    return absl::InvalidArgumentError(absl::StrCat("X ", x.ToString(), " and W ", w.ToString(), " differ in rank"));
  }
  if (w[1] * op.group != x[1] || w[0] % op.group != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("W ", w.ToString(), " does not fit X ", x.ToString(), " in ", op.group, " groups"));
  }
  for (int axis = 2; axis < w.rank(); ++axis) {
    if (op.window.kernel.size() != static_cast<size_t>(w.rank() - 2) ||
        op.window.kernel[static_cast<size_t>(axis - 2)] != w[axis]) {
      return absl::InvalidArgumentError(absl::StrCat("the kernel is not that of W ", w.ToString()));
    }
  }
  if (Given(inputs, 2) && inputs[2]->shape != Shape({w[0]})) {
    return absl::InvalidArgumentError(absl::StrCat("B ", inputs[2]->shape.ToString(), " is not of length ", w[0]));
  }
  return RequireReal(inputs);
}

double LpNorm(const std::vector<double>& values, int64_t p) {
  double sum = 0;
  for (const double value : values) sum += std::pow(std::abs(value), static_cast<double>(p));
  return std::pow(sum, 1 / static_cast<double>(p));
}

double PoolWindow(const graph::Pool& op, const RefTensor& x, size_t plane_begin, const Placement& placement) {
  if (op.kind == PoolKind::kMax) {
    double largest = -std::numeric_limits<double>::infinity();
    for (const Tap& tap : placement.taps) largest = std::fmax(largest, x.reals[plane_begin + tap.input_position]);
    return largest;
  }
  if (op.kind == PoolKind::kLp) {
    std::vector<double> values;
    for (const Tap& tap : placement.taps) values.push_back(x.reals[plane_begin + tap.input_position]);
    return LpNorm(values, op.p);
  }
  double sum = 0;
  for (const Tap& tap : placement.taps) sum += x.reals[plane_begin + tap.input_position];
  const auto inside = static_cast<int64_t>(placement.taps.size());
  return sum / static_cast<double>(op.count_include_pad ? placement.padded_taps : inside);
}

}  // namespace

absl::StatusOr<RefTensor> Evaluate(const graph::Conv& op, RefInputs inputs) {
  RETURN_IF_ERROR(CheckConv(op, inputs));
  const RefTensor& x = *inputs[0];
  const RefTensor& w = *inputs[1];
  ASSIGN_OR_RETURN(const std::vector<AxisGeometry> axes, PlaceAxes(op.window, /*ceil_mode=*/false, x.shape));
  const std::vector<Placement> placements = PlaceWindows(axes);
  const auto in_plane = static_cast<size_t>(InputPlane(axes).num_elements());
  const auto taps = static_cast<size_t>(KernelShape(axes).num_elements());
  const auto in_channels = static_cast<size_t>(x.shape[1]);
  const auto group_inputs = static_cast<size_t>(w.shape[1]);
  const auto out_channels = static_cast<size_t>(w.shape[0]);
  const size_t group_outputs = out_channels / static_cast<size_t>(op.group);

  RefTensor y = ZeroTensor(x.data_type, OutputShape(x.shape[0], w.shape[0], axes));
  size_t out = 0;
  for (size_t n = 0; n < static_cast<size_t>(x.shape[0]); ++n) {
    for (size_t m = 0; m < out_channels; ++m) {
      const size_t first_input = n * in_channels + m / group_outputs * group_inputs;
      const double bias = Given(inputs, 2) ? inputs[2]->reals[m] : 0.0;
      for (const Placement& placement : placements) {
        double sum = bias;
        for (size_t c = 0; c < group_inputs; ++c) {
          const double* plane = &x.reals[(first_input + c) * in_plane];
          const double* kernel = &w.reals[(m * group_inputs + c) * taps];
          for (const Tap& tap : placement.taps) sum += plane[tap.input_position] * kernel[tap.kernel_position];
        }
        y.reals[out++] = op.fused_relu && sum < 0 ? 0.0 : sum;
      }
    }
  }
  return y;
}

absl::StatusOr<RefTensor> Evaluate(const graph::Pool& op, RefInputs inputs) {
  RETURN_IF_ERROR(RequireReal(inputs));
  const RefTensor& x = *inputs[0];
  ASSIGN_OR_RETURN(const std::vector<AxisGeometry> axes, PlaceAxes(op.window, op.ceil_mode, x.shape));
  const std::vector<Placement> placements = PlaceWindows(axes);
  const auto plane = static_cast<size_t>(InputPlane(axes).num_elements());
  RefTensor y = ZeroTensor(x.data_type, OutputShape(x.shape[0], x.shape[1], axes));
  size_t out = 0;
  for (size_t begin = 0; begin < x.reals.size(); begin += plane) {
    for (const Placement& placement : placements) y.reals[out++] = PoolWindow(op, x, begin, placement);
  }
  return y;
}

absl::StatusOr<RefTensor> Evaluate(const graph::MaxPoolIndices& op, RefInputs inputs) {
  RETURN_IF_ERROR(RequireReal(inputs));
  const RefTensor& x = *inputs[0];
  ASSIGN_OR_RETURN(const std::vector<AxisGeometry> axes, PlaceAxes(op.window, op.ceil_mode, x.shape));
  const std::vector<Placement> placements = PlaceWindows(axes);
  const Shape plane = InputPlane(axes);
  const auto plane_size = static_cast<size_t>(plane.num_elements());
  // Where each element of a plane stands when the axes are counted in the wanted order.
  std::vector<int64_t> number;
  Coordinates at(axes.size(), 0);
  do {
    int64_t position = 0;
    for (size_t i = axes.size(); i-- > 0;) position = position * plane[static_cast<int>(i)] + at[i];
    number.push_back(op.storage_order == 1 ? position : static_cast<int64_t>(number.size()));
  } while (NextCoordinates(plane, at));
  RefTensor y = ZeroTensor(tensor::DataType::kInt64, OutputShape(x.shape[0], x.shape[1], axes));
  size_t out = 0;
  for (size_t begin = 0; begin < x.reals.size(); begin += plane_size) {
    for (const Placement& placement : placements) {
      size_t best = placement.taps[0].input_position;
      for (const Tap& tap : placement.taps) {
        if (x.reals[begin + tap.input_position] > x.reals[begin + best]) best = tap.input_position;
      }
      y.integers[out++] = static_cast<int64_t>(begin) + number[best];
    }
  }
  return y;
}

absl::StatusOr<RefTensor> Evaluate(const graph::GlobalPool& op, RefInputs inputs) {
  RETURN_IF_ERROR(RequireReal(inputs));
  const RefTensor& x = *inputs[0];
  if (x.shape.rank() < 3) {
    return absl::InvalidArgumentError(absl::StrCat("no spatial axes in ", x.shape.ToString()));
  }
  Shape shape({x.shape[0], x.shape[1]});
  for (int axis = 2; axis < x.shape.rank(); ++axis) shape.Append(1);
  RefTensor y = ZeroTensor(x.data_type, shape);
  const size_t plane = y.reals.empty() ? 0 : x.reals.size() / y.reals.size();
  for (size_t i = 0; i < y.reals.size(); ++i) {
    double sum = 0;
    double largest = -std::numeric_limits<double>::infinity();
    for (size_t j = 0; j < plane; ++j) {
      sum += x.reals[i * plane + j];
      largest = std::fmax(largest, x.reals[i * plane + j]);
    }
    y.reals[i] = op.kind == PoolKind::kMax ? largest : sum / static_cast<double>(plane);
    if (op.kind == PoolKind::kLp) {
      const auto first = x.reals.begin() + static_cast<std::ptrdiff_t>(i * plane);
      y.reals[i] = LpNorm({first, first + static_cast<std::ptrdiff_t>(plane)}, op.p);
    }
  }
  return y;
}

}  // namespace stillwave::test_support
