// Resize, straight from the operator's text: one axis at a time, each output element from its neighbors.
#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "tests/support/reference_ops.h"

namespace stillwave::test_support {
namespace {

using graph::AspectPolicy;
using graph::CoordinateMode;
using graph::NearestMode;
using graph::ResizeMode;
using tensor::Shape;

// x_resized and its axis, in the words of the text.
struct Line {
  int64_t length_original = 0;
  int64_t length_resized = 0;
  double scale = 1;
  double roi_start = 0;
  double roi_end = 1;
};

bool HasElements(RefInputs inputs, size_t index) {
  return Given(inputs, index) && inputs[index]->shape.num_elements() > 0;
}

absl::StatusOr<std::vector<Line>> Lines(const graph::Resize& op, RefInputs inputs) {
  const Shape& x = inputs[0]->shape;
  std::vector<Line> lines;
  for (const int64_t dim : x.dims()) lines.push_back({dim, dim});
  std::vector<size_t> axes;
  for (const int64_t axis : op.axes) {
    ASSIGN_OR_RETURN(const int from_front, AxisFromFront(axis, x.rank()));
    axes.push_back(static_cast<size_t>(from_front));
  }
  for (size_t i = 0; op.axes.empty() && i < lines.size(); ++i) axes.push_back(i);
  for (size_t i = 0; i < axes.size() && HasElements(inputs, 1); ++i) {
    lines[axes[i]].roi_start = inputs[1]->reals[i];
    lines[axes[i]].roi_end = inputs[1]->reals[i + axes.size()];
  }
  if (HasElements(inputs, 2)) {
    for (size_t i = 0; i < axes.size(); ++i) {
      Line& line = lines[axes[i]];
      line.scale = inputs[2]->reals[i];
      // Products are rounded to float, as runtimes do.
      double length = RoundTo(tensor::DataType::kFloat32, static_cast<double>(line.length_original) * line.scale);
      if (op.coordinates == CoordinateMode::kTfCropAndResize) length *= line.roi_end - line.roi_start;
      line.length_resized = static_cast<int64_t>(std::floor(length));
    }
    return lines;
  }
  ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, IntegersOf(inputs, 3, "sizes"));
  std::vector<double> scales;
  for (size_t i = 0; i < axes.size(); ++i) {
    lines[axes[i]].length_resized = sizes[i];
    scales.push_back(static_cast<double>(sizes[i]) / static_cast<double>(lines[axes[i]].length_original));
    lines[axes[i]].scale = scales.back();
  }
  if (op.aspect == AspectPolicy::kStretch) return lines;
  const double scale = op.aspect == AspectPolicy::kNotLarger ? *std::min_element(scales.begin(), scales.end())
                                                             : *std::max_element(scales.begin(), scales.end());
  for (const size_t axis : axes) {
    lines[axis].scale = scale;
    lines[axis].length_resized = static_cast<int64_t>(scale * static_cast<double>(lines[axis].length_original) + 0.5);
  }
  return lines;
}

double Original(CoordinateMode mode, const Line& line, double x) {
  const auto original = static_cast<double>(line.length_original);
  const double resized = line.scale * original;
  switch (mode) {
    case CoordinateMode::kHalfPixel:
      return (x + 0.5) / line.scale - 0.5;
    case CoordinateMode::kHalfPixelSymmetric: {
      const double adjustment = static_cast<double>(line.length_resized) / resized;
      return original / 2 * (1 - adjustment) + (x + 0.5) / line.scale - 0.5;
    }
    case CoordinateMode::kPytorchHalfPixel:
      return line.length_resized > 1 ? (x + 0.5) / line.scale - 0.5 : 0;
    case CoordinateMode::kAlignCorners:
      return line.length_resized == 1 ? 0 : x * (original - 1) / (resized - 1);
    case CoordinateMode::kAsymmetric:
      return x / line.scale;
    case CoordinateMode::kTfCropAndResize:
      if (line.length_resized == 1) return 0.5 * (line.roi_start + line.roi_end) * (original - 1);
      return line.roi_start * (original - 1) +
             x * (line.roi_end - line.roi_start) * (original - 1) / static_cast<double>(line.length_resized - 1);
  }
  return x;
}

double Cubic(double a, double distance) {
  const double t = std::abs(distance);
  if (t <= 1) return (a + 2) * t * t * t - (a + 3) * t * t + 1;
  if (t < 2) return a * t * t * t - 5 * a * t * t + 8 * a * t - 4 * a;
  return 0;
}

double RoundedPosition(NearestMode mode, double x) {
  const double below = std::floor(x);
  switch (mode) {
    case NearestMode::kFloor:
      return below;
    case NearestMode::kCeil:
      return std::ceil(x);
    case NearestMode::kRoundPreferFloor:
      return x - below <= 0.5 ? below : below + 1;
    case NearestMode::kRoundPreferCeil:
      return x - below < 0.5 ? below : below + 1;
  }
  return below;
}

// The value at `x` between the elements of `values`; nothing where tf_crop_and_resize looks beyond them.
std::optional<double> ValueAt(const graph::Resize& op, const Line& line, const std::vector<double>& values, double x) {
  const auto last = static_cast<int64_t>(values.size()) - 1;
  if (op.coordinates == CoordinateMode::kTfCropAndResize && (x < 0 || x > static_cast<double>(last))) {
    return std::nullopt;
  }
  const auto at = [&](double position) {
    return values[static_cast<size_t>(std::clamp(position, 0.0, static_cast<double>(last)))];
  };
  if (op.mode == ResizeMode::kNearest) return at(RoundedPosition(op.nearest, x));
  const double shrink = op.antialias ? std::min(1.0, line.scale) : 1.0;
  const double reach = (op.mode == ResizeMode::kCubic ? 2 : 1) / shrink;
  double total = 0;
  double sum = 0;
  for (double i = std::floor(x - reach); i <= std::ceil(x + reach); ++i) {
    if (op.exclude_outside && (i < 0 || i > static_cast<double>(last))) continue;
    const double distance = (i - x) * shrink;
    const double weight = op.mode == ResizeMode::kCubic ? Cubic(static_cast<double>(op.cubic_coefficient), distance)
                                                        : std::max(0.0, 1 - std::abs(distance));
    total += weight;
    sum += weight * at(i);
  }
  return op.exclude_outside || op.antialias ? sum / total : sum;
}

RefTensor ResizeAxis(const graph::Resize& op, const RefTensor& x, int axis, const Line& line) {
  Shape shape = x.shape;
  shape[axis] = line.length_resized;
  RefTensor y = ZeroTensor(x.data_type, shape);
  if (y.reals.empty()) return y;
  Coordinates at(static_cast<size_t>(shape.rank()), 0);
  size_t out = 0;
  do {
    std::vector<double> values;
    Coordinates source = at;
    for (int64_t i = 0; i < line.length_original; ++i) {
      source[static_cast<size_t>(axis)] = i;
      values.push_back(x.reals[PositionOf(x.shape, source)]);
    }
    const double position = Original(op.coordinates, line, static_cast<double>(at[static_cast<size_t>(axis)]));
    y.reals[out++] = ValueAt(op, line, values, position).value_or(static_cast<double>(op.extrapolation_value));
  } while (NextCoordinates(shape, at));
  return y;
}

}  // namespace

absl::StatusOr<RefTensor> Evaluate(const graph::Resize& op, RefInputs inputs) {
  if (!inputs[0]->is_real()) return absl::InvalidArgumentError("X must be real");
  ASSIGN_OR_RETURN(const std::vector<Line> lines, Lines(op, inputs));
  RefTensor y = *inputs[0];
  for (size_t axis = 0; axis < lines.size(); ++axis) {
    const Line& line = lines[axis];
    const bool stays = line.scale == 1 && line.length_original == line.length_resized &&
                       op.coordinates != CoordinateMode::kTfCropAndResize;
    if (!stays) y = ResizeAxis(op, y, static_cast<int>(axis), line);
  }
  return y;
}

}  // namespace stillwave::test_support
