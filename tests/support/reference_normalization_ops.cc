// Normalizations by the sample's own statistics.
#include <cmath>
#include <functional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "tests/support/reference_ops.h"

namespace stillwave::test_support {
namespace {

using tensor::Shape;

// Elements for which `group` gives the same number share mean and variance.
RefTensor NormalizeBy(const RefTensor& x, double epsilon, const std::function<size_t(const Coordinates&)>& group) {
  struct Statistics {
    double count = 0;
    double sum = 0;
    double squares = 0;  // of distances from the mean
  };
  const auto for_each = [&x](auto visit) {
    Coordinates at(static_cast<size_t>(x.shape.rank()), 0);
    for (size_t i = 0; i < x.reals.size(); ++i, NextCoordinates(x.shape, at)) visit(i, at);
  };
  std::vector<Statistics> all(x.reals.size());
  for_each([&](size_t i, const Coordinates& at) {
    all[group(at)].count += 1;
    all[group(at)].sum += x.reals[i];
  });
  for_each([&](size_t i, const Coordinates& at) {
    Statistics& own = all[group(at)];
    own.squares += std::pow(x.reals[i] - own.sum / own.count, 2);
  });
  RefTensor y = x;
  for_each([&](size_t i, const Coordinates& at) {
    const Statistics& own = all[group(at)];
    y.reals[i] = (x.reals[i] - own.sum / own.count) / std::sqrt(own.squares / own.count + epsilon);
  });
  return y;
}

// y * scale + bias, each read at the place that `position` gives.
void ApplyAffine(RefTensor& y, RefInputs inputs, const std::function<size_t(size_t, const Coordinates&)>& position) {
  Coordinates at(static_cast<size_t>(y.shape.rank()), 0);
  for (size_t i = 0; i < y.reals.size(); ++i, NextCoordinates(y.shape, at)) {
    y.reals[i] *= inputs[1]->reals[position(1, at)];
    if (Given(inputs, 2)) y.reals[i] += inputs[2]->reals[position(2, at)];
  }
}

absl::Status RequireLength(RefInputs inputs, size_t index, int64_t length) {
  if (inputs[index]->shape == Shape({length})) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("input ", index, " is ", inputs[index]->shape.ToString()));
}

}  // namespace

absl::StatusOr<RefTensor> Evaluate(const graph::InstanceNormalization& op, RefInputs inputs) {
  RETURN_IF_ERROR(RequireReal(inputs));
  const Shape& shape = inputs[0]->shape;
  RETURN_IF_ERROR(RequireLength(inputs, 1, shape[1]));
  RETURN_IF_ERROR(RequireLength(inputs, 2, shape[1]));
  RefTensor y = NormalizeBy(*inputs[0], op.epsilon,
                            [&shape](const Coordinates& at) { return static_cast<size_t>(at[0] * shape[1] + at[1]); });
  ApplyAffine(y, inputs, [](size_t, const Coordinates& at) { return static_cast<size_t>(at[1]); });
  return y;
}

absl::StatusOr<RefTensor> Evaluate(const graph::GroupNormalization& op, RefInputs inputs) {
  RETURN_IF_ERROR(RequireReal(inputs));
  const Shape& shape = inputs[0]->shape;
  if (op.groups < 1 || shape[1] % op.groups != 0) return absl::InvalidArgumentError("groups do not divide channels");
  RETURN_IF_ERROR(RequireLength(inputs, 1, op.per_group_affine ? op.groups : shape[1]));
  const int64_t size = shape[1] / op.groups;
  RefTensor y = NormalizeBy(*inputs[0], op.epsilon, [&op, size](const Coordinates& at) {
    return static_cast<size_t>(at[0] * op.groups + at[1] / size);
  });
  ApplyAffine(y, inputs, [&op, size](size_t, const Coordinates& at) {
    return static_cast<size_t>(op.per_group_affine ? at[1] / size : at[1]);
  });
  return y;
}

absl::StatusOr<RefTensor> Evaluate(const graph::LayerNormalization& op, RefInputs inputs) {
  RETURN_IF_ERROR(RequireReal(inputs));
  const Shape& shape = inputs[0]->shape;
  ASSIGN_OR_RETURN(const int axis, AxisFromFront(op.axis, shape.rank()));
  RefTensor y = NormalizeBy(*inputs[0], op.epsilon, [&shape, axis](const Coordinates& at) {
    Coordinates first = at;
    for (int i = axis; i < shape.rank(); ++i) first[static_cast<size_t>(i)] = 0;
    return PositionOf(shape, first);
  });
  ApplyAffine(y, inputs,
              [&inputs](size_t index, const Coordinates& at) { return BroadcastPosition(inputs[index]->shape, at); });
  return y;
}

absl::StatusOr<RefTensor> Evaluate(const graph::Lrn& op, RefInputs inputs) {
  RETURN_IF_ERROR(RequireReal(inputs));
  const RefTensor& x = *inputs[0];
  RefTensor y = x;
  Coordinates at(static_cast<size_t>(x.shape.rank()), 0);
  for (size_t i = 0; i < y.reals.size(); ++i, NextCoordinates(x.shape, at)) {
    const auto below = static_cast<int64_t>(std::floor(static_cast<double>(op.size - 1) / 2));
    const auto above = static_cast<int64_t>(std::ceil(static_cast<double>(op.size - 1) / 2));
    double squares = 0;
    for (int64_t channel = at[1] - below; channel <= at[1] + above; ++channel) {
      if (channel < 0 || channel >= x.shape[1]) continue;
      Coordinates neighbor = at;
      neighbor[1] = channel;
      squares += std::pow(x.reals[PositionOf(x.shape, neighbor)], 2);
    }
    y.reals[i] /= std::pow(op.bias + op.alpha / static_cast<double>(op.size) * squares, op.beta);
  }
  return y;
}

}  // namespace stillwave::test_support
