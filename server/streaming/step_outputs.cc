#include "server/streaming/step_outputs.h"

#include <cstddef>

#include "server/base/check.h"

namespace stillwave::streaming {
namespace {

// The only axis behind the batch axis of which `is` holds.
template <typename Is>
std::optional<int> OnlyAxis(const tensor::Shape& shape, const Is& is) {
  std::optional<int> only;
  for (int axis = 1; axis < shape.rank(); ++axis) {
    if (!is(axis)) continue;
    if (only) return std::nullopt;
    only = axis;
  }
  return only;
}

}  // namespace

std::optional<StepAxis> FindStepAxis(const tensor::Shape& output, const tensor::Shape& of_double_length,
                                     int64_t length) {
  if (output.rank() != of_double_length.rank()) return std::nullopt;
  const std::optional<int> axis =
      OnlyAxis(output, [&](int candidate) { return output[candidate] != of_double_length[candidate]; });
  if (!axis) return std::nullopt;
  const int64_t steps = output[*axis];
  if (steps < 1 || length % steps != 0 || of_double_length[*axis] != 2 * steps) return std::nullopt;
  return StepAxis{*axis, length / steps};
}

std::optional<StepAxis> GuessStepAxis(const tensor::Shape& output, int64_t length) {
  int whole = 0;
  for (int axis = 1; axis < output.rank(); ++axis) whole += output[axis] == length;
  if (whole > 1) return std::nullopt;
  if (whole == 1) {
    return StepAxis{*OnlyAxis(output, [&](int axis) { return output[axis] == length; }), 1};
  }
  if (output.rank() < 3) return std::nullopt;  // {1, K}: rather K classes
  const std::optional<int> axis = OnlyAxis(output, [&](int candidate) {
    const int64_t steps = output[candidate];
    return steps > 1 && steps < length && length % steps == 0;
  });
  if (!axis) return std::nullopt;
  return StepAxis{*axis, length / output[*axis]};
}

StepRange NewSteps(const StepAxis& axis, const WindowInfo& window, int64_t length) {
  const int64_t per_step = axis.samples_per_step;
  SW_CHECK(window.covered_samples % per_step == 0 && length % per_step == 0);
  const int64_t real = length - window.padded_samples;
  return {window.covered_samples / per_step, (real + per_step - 1) / per_step};
}

std::string CopySteps(const tensor::TensorView& output, const StepAxis& axis, const StepRange& steps) {
  const tensor::Shape& shape = output.shape;
  SW_CHECK(0 <= steps.begin && steps.begin <= steps.end && steps.end <= shape[axis.axis]);
  int64_t rows = 1, step_bytes = static_cast<int64_t>(sizeof(float));
  for (int i = 1; i < axis.axis; ++i) rows *= shape[i];
  for (int i = axis.axis + 1; i < shape.rank(); ++i) step_bytes *= shape[i];
  const int64_t row_bytes = shape[axis.axis] * step_bytes;
  std::string bytes;
  bytes.reserve(static_cast<size_t>(rows * (steps.end - steps.begin) * step_bytes));
  const char* const data = static_cast<const char*>(output.data);
  for (int64_t row = 0; row < rows; ++row) {
    bytes.append(data + row * row_bytes + steps.begin * step_bytes,
                 static_cast<size_t>((steps.end - steps.begin) * step_bytes));
  }
  return bytes;
}

}  // namespace stillwave::streaming
