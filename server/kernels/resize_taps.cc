#include "server/kernels/resize_taps.h"

#include <algorithm>
#include <cmath>

namespace stillwave::kernels {
namespace {

using graph::CoordinateMode;
using graph::NearestMode;
using graph::ResizedAxis;
using graph::ResizeMode;

// Where output element `i` lies among the input's elements.
double SourcePosition(CoordinateMode mode, const ResizedAxis& axis, double i) {
  const auto input = static_cast<double>(axis.input);
  // As ONNX's reference has it, the exact length and not the rounded one.
  const double output = axis.scale * input;
  switch (mode) {
    case CoordinateMode::kHalfPixel:
      return (i + 0.5) / axis.scale - 0.5;
    case CoordinateMode::kHalfPixelSymmetric: {
      const double offset = input / 2 * (1 - static_cast<double>(axis.output) / output);
      return offset + (i + 0.5) / axis.scale - 0.5;
    }
    case CoordinateMode::kPytorchHalfPixel:
      return axis.output > 1 ? (i + 0.5) / axis.scale - 0.5 : 0;
    case CoordinateMode::kAlignCorners:
      return axis.output > 1 ? i * (input - 1) / (output - 1) : 0;
    case CoordinateMode::kAsymmetric:
      return i / axis.scale;
    case CoordinateMode::kTfCropAndResize: {
      const double span = (axis.roi_end - axis.roi_begin) * (input - 1);
      const auto steps = static_cast<double>(axis.output - 1);
      return axis.roi_begin * (input - 1) + (axis.output > 1 ? i * span / steps : span / 2);
    }
  }
  return i;
}

double Nearest(NearestMode mode, double position) {
  switch (mode) {
    case NearestMode::kRoundPreferFloor:
      return std::ceil(position - 0.5);
    case NearestMode::kRoundPreferCeil:
      return std::floor(position + 0.5);
    case NearestMode::kFloor:
      return std::floor(position);
    case NearestMode::kCeil:
      return std::ceil(position);
  }
  return position;
}

// How much an element at this distance counts.
double KernelWeight(const graph::Resize& op, double distance) {
  const double x = std::abs(distance);
  if (op.mode == ResizeMode::kLinear) return std::max(0.0, 1 - x);
  const auto a = static_cast<double>(op.cubic_coefficient);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

// Widens the kernel where elements are dropped, so that each counts.
double KernelScale(const graph::Resize& op, const ResizedAxis& axis) {
  return op.antialias ? std::min(axis.scale, 1.0) : 1.0;
}

}  // namespace

bool ResizeTaps::IsCopy() const {
  return taps == 1 && std::all_of(weight.begin(), weight.end(), [](float w) { return w == 1; }) &&
         std::none_of(outside.begin(), outside.end(), [](uint8_t flag) { return flag != 0; });
}

bool ResizeTaps::IsIdentity() const {
  if (input != output || !IsCopy()) return false;
  for (size_t i = 0; i < index.size(); ++i) {
    if (index[i] != static_cast<int64_t>(i)) return false;
  }
  return true;
}

ResizeTaps MakeResizeTaps(const graph::Resize& op, const ResizedAxis& axis) {
  ResizeTaps taps;
  taps.input = axis.input;
  taps.output = axis.output;
  const bool crops = op.coordinates == CoordinateMode::kTfCropAndResize;
  const bool unchanged = axis.input == axis.output && axis.scale == 1 && !crops;
  const double scale = KernelScale(op, axis);
  // Elements on each side of a position that can have a weight.
  const double support = op.mode == ResizeMode::kCubic ? 2 : 1;
  const auto half = unchanged || op.mode == ResizeMode::kNearest ? 0 : static_cast<int64_t>(std::ceil(support / scale));
  taps.taps = std::max<int64_t>(1, 2 * half);
  const auto count = static_cast<size_t>(taps.taps * taps.output);
  taps.index.resize(count);
  taps.weight.resize(count);
  taps.outside.resize(static_cast<size_t>(taps.output));
  std::vector<double> weights(static_cast<size_t>(taps.taps));
  for (int64_t i = 0; i < taps.output; ++i) {
    const double position =
        unchanged ? static_cast<double>(i) : SourcePosition(op.coordinates, axis, static_cast<double>(i));
    taps.outside[static_cast<size_t>(i)] =
        crops && (position < 0 || position > static_cast<double>(axis.input - 1)) ? 1 : 0;
    const auto clamp = [&](double at) {
      return static_cast<int64_t>(std::clamp(at, 0.0, static_cast<double>(axis.input - 1)));
    };
    if (half == 0) {
      taps.index[static_cast<size_t>(i)] = clamp(unchanged ? position : Nearest(op.nearest, position));
      taps.weight[static_cast<size_t>(i)] = 1;
      continue;
    }
    const double first = std::floor(position) - static_cast<double>(half - 1);
    double sum = 0;
    for (int64_t t = 0; t < taps.taps; ++t) {
      const double at = first + static_cast<double>(t);
      const bool beyond = at < 0 || at > static_cast<double>(axis.input - 1);
      const double weight = op.exclude_outside && beyond ? 0 : KernelWeight(op, (at - position) * scale);
      weights[static_cast<size_t>(t)] = weight;
      sum += weight;
      taps.index[static_cast<size_t>(t * taps.output + i)] = clamp(at);
    }
    const bool normalizes = (op.antialias || op.exclude_outside) && sum != 0;
    for (int64_t t = 0; t < taps.taps; ++t) {
      taps.weight[static_cast<size_t>(t * taps.output + i)] =
          static_cast<float>(weights[static_cast<size_t>(t)] / (normalizes ? sum : 1));
    }
  }
  return taps;
}

}  // namespace stillwave::kernels
