#include "tests/support/reference_ops.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/check.h"

namespace stillwave::test_support {

using tensor::Shape;

bool NextCoordinates(const Shape& shape, Coordinates& at) {
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    const auto i = static_cast<size_t>(axis);
    if (++at[i] < shape[axis]) return true;
    at[i] = 0;
  }
  return false;
}

size_t PositionOf(const Shape& shape, const Coordinates& at) {
  int64_t position = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const int64_t coordinate = at[static_cast<size_t>(axis)];
    SW_CHECK(coordinate >= 0 && coordinate < shape[axis]);
    position = position * shape[axis] + coordinate;
  }
  return static_cast<size_t>(position);
}

absl::StatusOr<Shape> Broadcast(const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  Shape result;
  for (int axis = 0; axis < rank; ++axis) {
    const int a_axis = axis - (rank - a.rank());
    const int b_axis = axis - (rank - b.rank());
    const int64_t a_dim = a_axis < 0 ? 1 : a[a_axis];
    const int64_t b_dim = b_axis < 0 ? 1 : b[b_axis];
    if (a_dim != b_dim && a_dim != 1 && b_dim != 1) {
      return absl::InvalidArgumentError(absl::StrCat("cannot broadcast ", a.ToString(), " and ", b.ToString()));
    }
    result.Append(a_dim == 1 ? b_dim : a_dim);
  }
  return result;
}

size_t BroadcastPosition(const Shape& from, const Coordinates& at) {
  const size_t skipped = at.size() - static_cast<size_t>(from.rank());
  Coordinates source(at.begin() + static_cast<ptrdiff_t>(skipped), at.end());
  for (int axis = 0; axis < from.rank(); ++axis) {
    if (from[axis] == 1) source[static_cast<size_t>(axis)] = 0;
  }
  return PositionOf(from, source);
}

absl::StatusOr<int> AxisFromFront(int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) {
    return absl::InvalidArgumentError(absl::StrCat("axis ", axis, " is not one of rank ", rank));
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

absl::StatusOr<std::vector<int64_t>> IntegersOf(RefInputs inputs, size_t index, absl::string_view name) {
  SW_CHECK(Given(inputs, index));
  if (inputs[index]->is_real()) return absl::InvalidArgumentError(absl::StrCat(name, " must be integers"));
  return inputs[index]->integers;
}

void CopyElement(const RefTensor& from, size_t source, RefTensor& to, size_t target) {
  SW_CHECK(from.data_type == to.data_type);
  if (from.is_real()) {
    to.reals[target] = from.reals[source];
  } else {
    to.integers[target] = from.integers[source];
  }
}

absl::Status RequireReal(RefInputs inputs) {
  for (const RefTensor* input : inputs) {
    if (input != nullptr && !input->is_real()) {
      return absl::InvalidArgumentError(absl::StrCat("must be real; was ", tensor::Name(input->data_type)));
    }
  }
  return absl::OkStatus();
}

}  // namespace stillwave::test_support
