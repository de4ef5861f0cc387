// What the operators that move elements without computing (Slice, Pad,
// Transpose, …) read and write.
#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/graph/shape_inference.h"

namespace stillwave::graph {

absl::StatusOr<int> NormalizeAxis(int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) {
    return absl::InvalidArgumentError(absl::StrCat("axis must be between ", -rank, " and ", rank - 1, "; was ", axis));
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

absl::StatusOr<tensor::Shape> BroadcastShapes(const tensor::Shape& a, const tensor::Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  tensor::Shape result;
  for (int axis = 0; axis < rank; ++axis) {
    const int axis_a = axis - (rank - a.rank());
    const int axis_b = axis - (rank - b.rank());
    const int64_t dim_a = axis_a < 0 ? 1 : a[axis_a];
    const int64_t dim_b = axis_b < 0 ? 1 : b[axis_b];
    if (dim_a != dim_b && dim_a != 1 && dim_b != 1) {
      return absl::InvalidArgumentError(absl::StrCat("shapes ", a.ToString(), " and ", b.ToString(),
                                                     " do not broadcast: ", dim_a, " against ", dim_b));
    }
    result.Append(dim_a == 1 ? dim_b : dim_a);
  }
  return result;
}

absl::StatusOr<std::vector<int64_t>> IntegerValues(const InputType& input, absl::string_view what) {
  if (input.constant == nullptr) {
    return absl::UnimplementedError(absl::StrCat(what,
                                                 " must be known from the weights and the input shapes; it "
                                                 "depends on the input's values"));
  }
  const tensor::Tensor& tensor = *input.constant;
  if (tensor.shape().rank() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " must be a scalar or a list; was of shape ", tensor.shape().ToString()));
  }
  std::vector<int64_t> values;
  if (tensor.data_type() == tensor::DataType::kInt64) {
    const auto elements = tensor.values<int64_t>();
    values.assign(elements.begin(), elements.end());
  } else if (tensor.data_type() == tensor::DataType::kInt32) {
    const auto elements = tensor.values<int32_t>();
    values.assign(elements.begin(), elements.end());
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " must be INT64 or INT32; was ", tensor::Name(tensor.data_type())));
  }
  return values;
}

absl::StatusOr<std::vector<int>> ReduceAxes(const Reduce& op, absl::Span<const InputType> inputs) {
  const int rank = inputs[0].shape.rank();
  std::vector<int64_t> wanted;
  if (inputs.size() > 1 && inputs[1].present) {
    ASSIGN_OR_RETURN(wanted, IntegerValues(inputs[1], "axes"));
  }
  std::vector<int> axes;
  if (wanted.empty()) {
    for (int axis = 0; axis < rank && !op.noop_with_empty_axes; ++axis) axes.push_back(axis);
    return axes;
  }
  for (const int64_t value : wanted) {
    ASSIGN_OR_RETURN(const int axis, NormalizeAxis(value, rank));
    axes.push_back(axis);
  }
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  return axes;
}

namespace {

// One axis of numpy's slicing: out-of-range bounds are clamped, INT64_MAX means
// "to the end".
SliceRange ResolveSlice(int64_t start, int64_t end, int64_t step, int64_t length) {
  const auto from_end = [length](int64_t value) { return value < 0 ? value + length : value; };
  // -INT64_MAX is "before the beginning" in exported files; adding length to it
  // must not wrap.
  const int64_t low = -length - 1;
  start = from_end(std::max(start, low));
  end = from_end(std::max(end, low));
  if (length == 0) return {0, step, 0};
  SliceRange range;
  range.step = step;
  if (step > 0) {
    start = std::clamp<int64_t>(start, 0, length);
    end = std::clamp<int64_t>(end, 0, length);
    range.count = end > start ? (end - start - 1) / step + 1 : 0;
  } else {
    start = std::clamp<int64_t>(start, 0, length - 1);
    end = std::clamp<int64_t>(end, -1, length - 1);
    // step is not INT64_MIN (checked), so negating it is safe.
    range.count = start > end ? (start - end - 1) / -step + 1 : 0;
  }
  range.begin = start;
  return range;
}

absl::StatusOr<std::vector<int64_t>> OptionalList(absl::Span<const InputType> inputs, size_t index,
                                                  absl::string_view what, size_t count, bool count_up) {
  if (index < inputs.size() && inputs[index].present) {
    ASSIGN_OR_RETURN(std::vector<int64_t> values, IntegerValues(inputs[index], what));
    if (values.size() != count) {
      return absl::InvalidArgumentError(absl::StrCat(what, " must have ", count, " entries; has ", values.size()));
    }
    return values;
  }
  std::vector<int64_t> values(count, 1);
  for (size_t i = 0; count_up && i < count; ++i) values[i] = static_cast<int64_t>(i);
  return values;
}

}  // namespace

absl::StatusOr<std::vector<SliceRange>> SliceRanges(absl::Span<const InputType> inputs) {
  const tensor::Shape& shape = inputs[0].shape;
  ASSIGN_OR_RETURN(const std::vector<int64_t> starts, IntegerValues(inputs[1], "starts"));
  ASSIGN_OR_RETURN(const std::vector<int64_t> ends, IntegerValues(inputs[2], "ends"));
  if (starts.size() != ends.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("starts and ends must be of one length; are ", starts.size(), " and ", ends.size()));
  }
  ASSIGN_OR_RETURN(const std::vector<int64_t> axes, OptionalList(inputs, 3, "axes", starts.size(), true));
  ASSIGN_OR_RETURN(const std::vector<int64_t> steps, OptionalList(inputs, 4, "steps", starts.size(), false));
  std::vector<SliceRange> ranges;
  for (const int64_t dim : shape.dims()) ranges.push_back({0, 1, dim});
  for (size_t i = 0; i < starts.size(); ++i) {
    ASSIGN_OR_RETURN(const int axis, NormalizeAxis(axes[i], shape.rank()));
    if (steps[i] == 0 || steps[i] == INT64_MIN) {
      return absl::InvalidArgumentError(absl::StrCat("steps must not be 0 or -2^63; was ", steps[i]));
    }
    ranges[static_cast<size_t>(axis)] = ResolveSlice(starts[i], ends[i], steps[i], shape[axis]);
  }
  return ranges;
}

absl::StatusOr<std::vector<PadAmount>> PadAmounts(absl::Span<const InputType> inputs) {
  const int rank = inputs[0].shape.rank();
  ASSIGN_OR_RETURN(const std::vector<int64_t> pads, IntegerValues(inputs[1], "pads"));
  if (pads.size() % 2 != 0) {
    return absl::InvalidArgumentError(absl::StrCat("pads must have an even number of entries; has ", pads.size()));
  }
  const size_t count = pads.size() / 2;
  const bool has_axes = inputs.size() > 3 && inputs[3].present;
  if (!has_axes && count != static_cast<size_t>(rank)) {
    return absl::InvalidArgumentError(
        absl::StrCat("pads must have two entries per axis (", 2 * rank, "); has ", pads.size()));
  }
  ASSIGN_OR_RETURN(const std::vector<int64_t> axes, OptionalList(inputs, 3, "axes", count, true));
  std::vector<PadAmount> amounts(static_cast<size_t>(rank));
  for (size_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(const int axis, NormalizeAxis(axes[i], rank));
    amounts[static_cast<size_t>(axis)] = {pads[i], pads[count + i]};
  }
  return amounts;
}

absl::StatusOr<SoftmaxExtent> ResolveSoftmax(const Softmax& op, const tensor::Shape& shape) {
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(op.axis, shape.rank()));
  SoftmaxExtent extent;
  for (int i = 0; i < axis; ++i) extent.outer *= shape[i];
  extent.length = shape[axis];
  // Before opset 13 all axes from `axis` on are one.
  for (int i = axis + 1; i < shape.rank(); ++i) (op.flatten_to_2d ? extent.length : extent.inner) *= shape[i];
  return extent;
}

std::vector<int64_t> TransposePerm(const Transpose& op, int rank) {
  if (!op.perm.empty()) return op.perm;
  std::vector<int64_t> perm;
  for (int axis = rank - 1; axis >= 0; --axis) perm.push_back(axis);
  return perm;
}

}  // namespace stillwave::graph
