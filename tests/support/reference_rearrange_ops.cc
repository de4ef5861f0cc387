// Operators that take apart, repeat or regroup elements, and those that count.
#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "tests/support/reference_ops.h"

namespace stillwave::test_support {
namespace {

using tensor::Shape;

RefTensor Pick(const RefTensor& x, const Shape& shape, const std::function<Coordinates(const Coordinates&)>& source) {
  RefTensor y = ZeroTensor(x.data_type, shape);
  if (shape.num_elements() == 0) return y;
  Coordinates at(static_cast<size_t>(shape.rank()), 0);
  size_t out = 0;
  do {
    CopyElement(x, PositionOf(x.shape, source(at)), y, out++);
  } while (NextCoordinates(shape, at));
  return y;
}

}  // namespace

absl::StatusOr<RefTensor> Evaluate(const graph::SplitPart& op, RefInputs inputs) {
  const RefTensor& x = *inputs[0];
  ASSIGN_OR_RETURN(const int axis, AxisFromFront(op.axis, x.shape.rank()));
  std::vector<int64_t> lengths;
  if (Given(inputs, 1)) {
    ASSIGN_OR_RETURN(lengths, IntegersOf(inputs, 1, "split"));
  } else {
    const auto chunk =
        static_cast<int64_t>(std::ceil(static_cast<double>(x.shape[axis]) / static_cast<double>(op.parts)));
    lengths.assign(static_cast<size_t>(op.parts), chunk);
    lengths.back() = x.shape[axis] - chunk * (op.parts - 1);
  }
  int64_t begin = 0;
  for (int64_t i = 0; i < op.index; ++i) begin += lengths[static_cast<size_t>(i)];
  Shape shape = x.shape;
  shape[axis] = lengths[static_cast<size_t>(op.index)];
  return Pick(x, shape, [&](Coordinates at) {
    at[static_cast<size_t>(axis)] += begin;
    return at;
  });
}

absl::StatusOr<RefTensor> Evaluate(const graph::Tile&, RefInputs inputs) {
  const RefTensor& x = *inputs[0];
  ASSIGN_OR_RETURN(const std::vector<int64_t> repeats, IntegersOf(inputs, 1, "repeats"));
  Shape shape = x.shape;
  for (int axis = 0; axis < shape.rank(); ++axis) shape[axis] *= repeats[static_cast<size_t>(axis)];
  return Pick(x, shape, [&](Coordinates at) {
    for (int axis = 0; axis < shape.rank(); ++axis) at[static_cast<size_t>(axis)] %= x.shape[axis];
    return at;
  });
}

absl::StatusOr<RefTensor> Evaluate(const graph::DepthToSpace& op, RefInputs inputs) {
  const RefTensor& x = *inputs[0];
  const int64_t b = op.block;
  const int64_t channels = x.shape[1] / (b * b);
  return Pick(x, {x.shape[0], channels, x.shape[2] * b, x.shape[3] * b}, [&](const Coordinates& at) {
    const int64_t within = at[2] % b * b + at[3] % b;  // row-major in the block
    const int64_t channel = op.column_row_depth ? at[1] * b * b + within : within * channels + at[1];
    return Coordinates{at[0], channel, at[2] / b, at[3] / b};
  });
}

absl::StatusOr<RefTensor> Evaluate(const graph::SpaceToDepth& op, RefInputs inputs) {
  const RefTensor& x = *inputs[0];
  const int64_t b = op.block;
  return Pick(x, {x.shape[0], x.shape[1] * b * b, x.shape[2] / b, x.shape[3] / b}, [&](const Coordinates& at) {
    const int64_t within = at[1] / x.shape[1];
    return Coordinates{at[0], at[1] % x.shape[1], at[2] * b + within / b, at[3] * b + within % b};
  });
}

absl::StatusOr<RefTensor> Evaluate(const graph::Interleave& op, RefInputs inputs) {
  const RefTensor& x = *inputs[0];
  const int64_t channels = x.shape[1] / op.factor;
  return Pick(x, {x.shape[0], channels, x.shape[2] * op.factor}, [&](const Coordinates& at) {
    return Coordinates{at[0], at[2] % op.factor * channels + at[1], at[2] / op.factor};
  });
}

absl::StatusOr<RefTensor> Evaluate(const graph::SizeOf&, RefInputs inputs) {
  return IntegerTensor({}, {inputs[0]->shape.num_elements()});
}

absl::StatusOr<RefTensor> Evaluate(const graph::Range&, RefInputs inputs) {
  RefTensor y = ZeroTensor(inputs[0]->data_type, {0});
  const auto fill = [](auto start, auto limit, auto delta, auto& elements) {
    for (auto value = start; delta > 0 ? value < limit : value > limit; value += delta) elements.push_back(value);
  };
  if (y.is_real()) {
    fill(inputs[0]->reals[0], inputs[1]->reals[0], inputs[2]->reals[0], y.reals);
    y.shape = {static_cast<int64_t>(y.reals.size())};
  } else {
    fill(inputs[0]->integers[0], inputs[1]->integers[0], inputs[2]->integers[0], y.integers);
    y.shape = {static_cast<int64_t>(y.integers.size())};
  }
  return y;
}

}  // namespace stillwave::test_support
