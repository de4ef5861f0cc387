// Operators that keep the elements and change the shape, and those that turn shapes into elements or back.
#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "tests/support/reference_ops.h"

namespace stillwave::test_support {
namespace {

using tensor::Shape;

absl::StatusOr<RefTensor> WithShape(const RefTensor& x, const Shape& shape) {
  if (shape.num_elements() != x.shape.num_elements()) {
    return absl::InvalidArgumentError(absl::StrCat("cannot reshape ", x.shape.ToString(), " to ", shape.ToString()));
  }
  RefTensor y = x;
  y.shape = shape;
  return y;
}

// One flag per axis of `rank`; every axis may be named once.
absl::StatusOr<std::vector<bool>> MarkAxes(const std::vector<int64_t>& axes, int rank) {
  std::vector<bool> marked(static_cast<size_t>(rank), false);
  for (const int64_t axis : axes) {
    ASSIGN_OR_RETURN(const int from_front, AxisFromFront(axis, rank));
    if (marked[static_cast<size_t>(from_front)]) {
      return absl::InvalidArgumentError(absl::StrCat("axis ", axis, " is named twice"));
    }
    marked[static_cast<size_t>(from_front)] = true;
  }
  return marked;
}

}  // namespace

absl::StatusOr<RefTensor> Evaluate(const graph::Reshape& op, RefInputs inputs) {
  const RefTensor& x = *inputs[0];
  ASSIGN_OR_RETURN(std::vector<int64_t> dims, IntegersOf(inputs, 1, "shape"));
  int64_t known = 1;
  int64_t* inferred = nullptr;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0 && !op.allow_zero) {
      if (static_cast<int>(i) >= x.shape.rank()) return absl::InvalidArgumentError("0 names no dimension to copy");
      dims[i] = x.shape[static_cast<int>(i)];
    }
    if (dims[i] == -1 && inferred == nullptr) {
      inferred = &dims[i];
    } else if (dims[i] < 0) {
      return absl::InvalidArgumentError(absl::StrCat("dimension ", dims[i], " in shape"));
    } else {
      known *= dims[i];
    }
  }
  if (inferred != nullptr) {
    if (known == 0) return absl::InvalidArgumentError("-1 cannot be inferred beside a dimension of 0");
    *inferred = x.shape.num_elements() / known;
  }
  return WithShape(x, Shape(dims));
}

absl::StatusOr<RefTensor> Evaluate(const graph::Flatten& op, RefInputs inputs) {
  const RefTensor& x = *inputs[0];
  const int rank = x.shape.rank();
  if (op.axis < -rank || op.axis > rank) return absl::InvalidArgumentError(absl::StrCat("axis ", op.axis));
  const int axis = static_cast<int>(op.axis < 0 ? op.axis + rank : op.axis);
  Shape shape({1, 1});
  for (int i = 0; i < rank; ++i) shape[i < axis ? 0 : 1] *= x.shape[i];
  return WithShape(x, shape);
}

absl::StatusOr<RefTensor> Evaluate(const graph::Squeeze&, RefInputs inputs) {
  const RefTensor& x = *inputs[0];
  std::vector<bool> dropped;
  if (Given(inputs, 1)) {
    ASSIGN_OR_RETURN(const std::vector<int64_t> axes, IntegersOf(inputs, 1, "axes"));
    ASSIGN_OR_RETURN(dropped, MarkAxes(axes, x.shape.rank()));
  } else {
    for (const int64_t dim : x.shape.dims()) dropped.push_back(dim == 1);
  }
  Shape shape;
  for (int axis = 0; axis < x.shape.rank(); ++axis) {
    if (!dropped[static_cast<size_t>(axis)]) {
      shape.Append(x.shape[axis]);
    } else if (x.shape[axis] != 1) {
      return absl::InvalidArgumentError(absl::StrCat("axis ", axis, " of ", x.shape.ToString(), " is not 1"));
    }
  }
  return WithShape(x, shape);
}

absl::StatusOr<RefTensor> Evaluate(const graph::Unsqueeze&, RefInputs inputs) {
  const RefTensor& x = *inputs[0];
  ASSIGN_OR_RETURN(const std::vector<int64_t> axes, IntegersOf(inputs, 1, "axes"));
  const int rank = x.shape.rank() + static_cast<int>(axes.size());
  ASSIGN_OR_RETURN(const std::vector<bool> added, MarkAxes(axes, rank));
  Shape shape;
  int next = 0;
  for (int axis = 0; axis < rank; ++axis) shape.Append(added[static_cast<size_t>(axis)] ? 1 : x.shape[next++]);
  return WithShape(x, shape);
}

absl::StatusOr<RefTensor> Evaluate(const graph::ShapeOf& op, RefInputs inputs) {
  const Shape& shape = inputs[0]->shape;
  const int64_t rank = shape.rank();
  const auto clamp = [rank](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank); };
  std::vector<int64_t> dims;
  for (int64_t axis = clamp(op.start); axis < clamp(op.end); ++axis) dims.push_back(shape[static_cast<int>(axis)]);
  const auto count = static_cast<int64_t>(dims.size());
  return IntegerTensor(Shape({count}), std::move(dims));
}

absl::StatusOr<RefTensor> Evaluate(const graph::ConstantOfShape& op, RefInputs inputs) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> dims, IntegersOf(inputs, 0, "shape"));
  const RefTensor value = op.value == nullptr ? RealTensor({1}, {0.0}) : ToRefTensor(op.value->view());
  if (value.shape.num_elements() != 1) return absl::InvalidArgumentError("value must have one element");
  const Shape shape(dims);
  if (!shape.ElementCount().ok()) return shape.ElementCount().status();
  RefTensor y = ZeroTensor(value.data_type, shape);
  for (double& element : y.reals) element = value.reals[0];
  for (int64_t& element : y.integers) element = value.integers[0];
  return y;
}

}  // namespace stillwave::test_support
