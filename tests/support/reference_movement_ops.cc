// Operators each of whose output elements is a copy of some input element.
#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "tests/support/reference_ops.h"

namespace stillwave::test_support {
namespace {

using graph::PadMode;
using tensor::Shape;

// A tensor of `shape` whose element at `at` is x[source(at)].
RefTensor CopyFrom(const RefTensor& x, const Shape& shape, const std::function<size_t(const Coordinates&)>& source) {
  RefTensor y = ZeroTensor(x.data_type, shape);
  if (shape.num_elements() == 0) return y;
  Coordinates at(static_cast<size_t>(shape.rank()), 0);
  size_t out = 0;
  do {
    CopyElement(x, source(at), y, out++);
  } while (NextCoordinates(shape, at));
  return y;
}

// The axes that input `index` names; all axes in order when it is left out.
absl::StatusOr<std::vector<int>> NamedAxes(RefInputs inputs, size_t index, size_t count) {
  const int rank = inputs[0]->shape.rank();
  std::vector<int64_t> axes(count);
  std::iota(axes.begin(), axes.end(), 0);
  if (Given(inputs, index)) {
    ASSIGN_OR_RETURN(axes, IntegersOf(inputs, index, "axes"));
  }
  if (axes.size() != count) return absl::InvalidArgumentError("axes differ in number from what they are for");
  std::vector<int> result;
  for (const int64_t axis : axes) {
    ASSIGN_OR_RETURN(const int from_front, AxisFromFront(axis, rank));
    result.push_back(from_front);
  }
  return result;
}

// What Pad does to one axis. Negative amounts cut off elements.
struct AxisPad {
  int64_t length = 0;
  int64_t begin = 0;
  int64_t end = 0;
};

// Where position `at` of the padded axis comes from; nothing where the constant stands.
std::optional<int64_t> PadSource(PadMode mode, const AxisPad& pad, int64_t at) {
  // What is left of the axis after cutting: [first, last].
  const int64_t first = std::max<int64_t>(0, -pad.begin);
  const int64_t last = pad.length - 1 - std::max<int64_t>(0, -pad.end);
  int64_t source = at - pad.begin;
  switch (mode) {
    case PadMode::kConstant:
      if (source < first || source > last) return std::nullopt;
      return source;
    case PadMode::kEdge:
      return std::clamp(source, first, last);
    case PadMode::kReflect:
      // Mirrored at the outermost elements, which are not repeated.
      while (first < last && (source < first || source > last)) {
        source = source < first ? 2 * first - source : 2 * last - source;
      }
      return first == last ? first : source;
    case PadMode::kWrap:
      while (source < first) source += last - first + 1;
      while (source > last) source -= last - first + 1;
      return source;
  }
  return std::nullopt;
}

absl::StatusOr<std::vector<AxisPad>> AxisPads(RefInputs inputs) {
  const Shape& shape = inputs[0]->shape;
  ASSIGN_OR_RETURN(const std::vector<int64_t> pads, IntegersOf(inputs, 1, "pads"));
  const size_t count = Given(inputs, 3) ? inputs[3]->integers.size() : static_cast<size_t>(shape.rank());
  if (pads.size() != 2 * count) return absl::InvalidArgumentError("pads must hold two numbers per axis");
  ASSIGN_OR_RETURN(const std::vector<int> axes, NamedAxes(inputs, 3, count));
  std::vector<AxisPad> result;
  for (const int64_t dim : shape.dims()) result.push_back({.length = dim});
  for (size_t i = 0; i < count; ++i) {
    result[static_cast<size_t>(axes[i])].begin = pads[i];
    result[static_cast<size_t>(axes[i])].end = pads[count + i];
  }
  return result;
}

// What Slice takes of one axis.
struct AxisSlice {
  int64_t begin = 0;
  int64_t step = 1;
  int64_t count = 0;
};

// ONNX, Slice: negative bounds count from the end, then both are clamped to the axis (for a negative step one lower).
AxisSlice TakeAxis(int64_t length, int64_t start, int64_t end, int64_t step) {
  if (length == 0) return {0, 1, 0};
  if (start < 0) start += length;
  if (end < 0) end += length;
  if (step > 0) {
    start = std::clamp<int64_t>(start, 0, length);
    end = std::clamp<int64_t>(end, 0, length);
    return {start, step, end > start ? (end - start - 1) / step + 1 : 0};
  }
  start = std::clamp<int64_t>(start, 0, length - 1);
  end = std::clamp<int64_t>(end, -1, length - 1);
  // -(end - start + 1) / step without negating INT64_MIN.
  return {start, step, start > end ? (end - start + 1) / step + 1 : 0};
}

}  // namespace

absl::StatusOr<RefTensor> Evaluate(const graph::Concat& op, RefInputs inputs) {
  const RefTensor& first = *inputs[0];
  ASSIGN_OR_RETURN(const int axis, AxisFromFront(op.axis, first.shape.rank()));
  Shape shape = first.shape;
  shape[axis] = 0;
  for (const RefTensor* input : inputs) {
    if (input == nullptr || input->data_type != first.data_type || input->shape.rank() != shape.rank()) {
      return absl::InvalidArgumentError("inputs must be of one type and one rank");
    }
    Shape other = input->shape;
    other[axis] = first.shape[axis];
    if (other != first.shape) {
      return absl::InvalidArgumentError(
          absl::StrCat(input->shape.ToString(), " and ", first.shape.ToString(), " differ beside axis ", axis));
    }
    shape[axis] += input->shape[axis];
  }
  RefTensor y = ZeroTensor(first.data_type, shape);
  int64_t begin = 0;
  for (const RefTensor* input : inputs) {
    if (input->shape.num_elements() == 0) continue;
    Coordinates at(static_cast<size_t>(shape.rank()), 0);
    size_t source = 0;
    do {
      Coordinates target = at;
      target[static_cast<size_t>(axis)] += begin;
      CopyElement(*input, source++, y, PositionOf(shape, target));
    } while (NextCoordinates(input->shape, at));
    begin += input->shape[axis];
  }
  return y;
}

absl::StatusOr<RefTensor> Evaluate(const graph::Transpose& op, RefInputs inputs) {
  const RefTensor& x = *inputs[0];
  const int rank = x.shape.rank();
  std::vector<int64_t> perm = op.perm;
  if (perm.empty()) {
    for (int axis = rank - 1; axis >= 0; --axis) perm.push_back(axis);
  }
  std::vector<int64_t> sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (sorted.size() != static_cast<size_t>(rank) || sorted[i] != static_cast<int64_t>(i)) {
      return absl::InvalidArgumentError("perm must hold each axis once");
    }
  }
  Shape shape;
  for (const int64_t axis : perm) shape.Append(x.shape[static_cast<int>(axis)]);
  return CopyFrom(x, shape, [&](const Coordinates& at) {
    Coordinates source(perm.size());
    for (size_t i = 0; i < perm.size(); ++i) source[static_cast<size_t>(perm[i])] = at[i];
    return PositionOf(x.shape, source);
  });
}

absl::StatusOr<RefTensor> Evaluate(const graph::Pad& op, RefInputs inputs) {
  const RefTensor& x = *inputs[0];
  ASSIGN_OR_RETURN(const std::vector<AxisPad> pads, AxisPads(inputs));
  Shape shape;
  for (const AxisPad& pad : pads) shape.Append(pad.length + pad.begin + pad.end);
  if (!shape.ElementCount().ok()) return shape.ElementCount().status();
  RefTensor y = ZeroTensor(x.data_type, shape);
  if (shape.num_elements() == 0) return y;
  if (op.mode != PadMode::kConstant && x.shape.num_elements() == 0) {
    return absl::InvalidArgumentError("there is nothing to repeat");
  }
  const bool has_value = Given(inputs, 2);
  if (has_value && (inputs[2]->data_type != x.data_type || inputs[2]->shape.num_elements() != 1)) {
    return absl::InvalidArgumentError("the constant must be one element of the data's type");
  }
  Coordinates at(pads.size(), 0);
  size_t out = 0;
  do {
    Coordinates source;
    for (size_t i = 0; i < pads.size(); ++i) {
      const std::optional<int64_t> from = PadSource(op.mode, pads[i], at[i]);
      if (from.has_value()) source.push_back(*from);
    }
    if (source.size() == pads.size()) {
      CopyElement(x, PositionOf(x.shape, source), y, out);
    } else if (has_value) {
      CopyElement(*inputs[2], 0, y, out);
    }
    ++out;
  } while (NextCoordinates(shape, at));
  return y;
}

absl::StatusOr<RefTensor> Evaluate(const graph::Slice&, RefInputs inputs) {
  const RefTensor& x = *inputs[0];
  ASSIGN_OR_RETURN(const std::vector<int64_t> starts, IntegersOf(inputs, 1, "starts"));
  ASSIGN_OR_RETURN(const std::vector<int64_t> ends, IntegersOf(inputs, 2, "ends"));
  ASSIGN_OR_RETURN(const std::vector<int> axes, NamedAxes(inputs, 3, starts.size()));
  std::vector<int64_t> steps(starts.size(), 1);
  if (Given(inputs, 4)) {
    ASSIGN_OR_RETURN(steps, IntegersOf(inputs, 4, "steps"));
  }
  if (ends.size() != starts.size() || steps.size() != starts.size()) {
    return absl::InvalidArgumentError("starts, ends and steps differ in number");
  }
  std::vector<AxisSlice> slices;
  for (const int64_t dim : x.shape.dims()) slices.push_back({.begin = 0, .step = 1, .count = dim});
  for (size_t i = 0; i < starts.size(); ++i) {
    if (steps[i] == 0) return absl::InvalidArgumentError("a step of 0");
    slices[static_cast<size_t>(axes[i])] = TakeAxis(x.shape[axes[i]], starts[i], ends[i], steps[i]);
  }
  Shape shape;
  for (const AxisSlice& slice : slices) shape.Append(slice.count);
  return CopyFrom(x, shape, [&](const Coordinates& at) {
    Coordinates source;
    for (size_t i = 0; i < at.size(); ++i) source.push_back(slices[i].begin + at[i] * slices[i].step);
    return PositionOf(x.shape, source);
  });
}

absl::StatusOr<RefTensor> Evaluate(const graph::Gather& op, RefInputs inputs) {
  const RefTensor& x = *inputs[0];
  const Shape& index_shape = inputs[1]->shape;
  ASSIGN_OR_RETURN(const int axis, AxisFromFront(op.axis, x.shape.rank()));
  ASSIGN_OR_RETURN(std::vector<int64_t> indices, IntegersOf(inputs, 1, "indices"));
  for (int64_t& index : indices) {
    if (index < -x.shape[axis] || index >= x.shape[axis]) {
      return absl::InvalidArgumentError(absl::StrCat("index ", index, " is outside of ", x.shape[axis]));
    }
    if (index < 0) index += x.shape[axis];
  }
  // The indices' axes stand in place of `axis`.
  Shape shape;
  for (int i = 0; i < axis; ++i) shape.Append(x.shape[i]);
  for (const int64_t dim : index_shape.dims()) shape.Append(dim);
  for (int i = axis + 1; i < x.shape.rank(); ++i) shape.Append(x.shape[i]);
  return CopyFrom(x, shape, [&](const Coordinates& at) {
    const auto index_begin = at.begin() + axis;
    const auto index_end = index_begin + index_shape.rank();
    Coordinates source(at.begin(), index_begin);
    source.push_back(indices[PositionOf(index_shape, Coordinates(index_begin, index_end))]);
    source.insert(source.end(), index_end, at.end());
    return PositionOf(x.shape, source);
  });
}

absl::StatusOr<RefTensor> Evaluate(const graph::Expand&, RefInputs inputs) {
  const RefTensor& x = *inputs[0];
  ASSIGN_OR_RETURN(const std::vector<int64_t> dims, IntegersOf(inputs, 1, "shape"));
  ASSIGN_OR_RETURN(const Shape shape, Broadcast(x.shape, Shape(dims)));
  if (!shape.ElementCount().ok()) return shape.ElementCount().status();
  return CopyFrom(x, shape, [&](const Coordinates& at) { return BroadcastPosition(x.shape, at); });
}

}  // namespace stillwave::test_support
