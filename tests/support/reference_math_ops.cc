// Batch normalization, matrix products and softmax.
#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "tests/support/reference_ops.h"

namespace stillwave::test_support {
namespace {

using tensor::Shape;

// exp(x - max) / sum, or its logarithm, over `count` elements that lie `stride` apart.
void SoftmaxLine(bool log, double* first, size_t count, size_t stride) {
  double largest = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < count; ++i) largest = std::max(largest, first[i * stride]);
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += std::exp(first[i * stride] - largest);
  for (size_t i = 0; i < count; ++i) {
    double& x = first[i * stride];
    x = log ? x - largest - std::log(sum) : std::exp(x - largest) / sum;
  }
}

int64_t Product(const Shape& shape, int begin, int end) {
  int64_t product = 1;
  for (int axis = begin; axis < end; ++axis) product *= shape[axis];
  return product;
}

// The shape without its last two axes.
Shape BatchOf(const Shape& shape) { return Shape(shape.dims().subspan(0, shape.dims().size() - 2)); }

}  // namespace

absl::StatusOr<RefTensor> Evaluate(const graph::BatchNormalization& op, RefInputs inputs) {
  RETURN_IF_ERROR(RequireReal(inputs));
  RefTensor y = *inputs[0];
  if (y.shape.rank() < 2) return absl::InvalidArgumentError(absl::StrCat("no channels in ", y.shape.ToString()));
  const int64_t channels = y.shape[1];
  for (size_t i = 1; i < 5; ++i) {
    if (inputs[i]->shape != Shape({channels})) {
      return absl::InvalidArgumentError(
          absl::StrCat("parameter ", i, " is ", inputs[i]->shape.ToString(), " for ", channels, " channels"));
    }
  }
  const auto plane = static_cast<size_t>(Product(y.shape, 2, y.shape.rank()));
  for (size_t i = 0; i < y.reals.size(); ++i) {
    const size_t c = i / plane % static_cast<size_t>(channels);
    const double scale = inputs[1]->reals[c];
    const double bias = inputs[2]->reals[c];
    const double mean = inputs[3]->reals[c];
    const double variance = inputs[4]->reals[c];
    const double result = scale * (y.reals[i] - mean) / std::sqrt(variance + op.epsilon) + bias;
    y.reals[i] = op.fused_relu && result < 0 ? 0.0 : result;
  }
  return y;
}

absl::StatusOr<RefTensor> Evaluate(const graph::Gemm& op, RefInputs inputs) {
  RETURN_IF_ERROR(RequireReal(inputs));
  const RefTensor& a = *inputs[0];
  const RefTensor& b = *inputs[1];
  if (a.shape.rank() != 2 || b.shape.rank() != 2) {
    return absl::InvalidArgumentError(
        absl::StrCat(a.shape.ToString(), " and ", b.shape.ToString(), " are no matrices"));
  }
  const int64_t rows = a.shape[op.transpose_a ? 1 : 0];
  const int64_t inner = a.shape[op.transpose_a ? 0 : 1];
  const int64_t columns = b.shape[op.transpose_b ? 0 : 1];
  if (b.shape[op.transpose_b ? 1 : 0] != inner) {
    return absl::InvalidArgumentError(
        absl::StrCat("inner lengths of ", a.shape.ToString(), " and ", b.shape.ToString(), " differ"));
  }
  RefTensor y = ZeroTensor(a.data_type, Shape({rows, columns}));
  if (Given(inputs, 2)) {
    ASSIGN_OR_RETURN(const Shape broadcast, Broadcast(inputs[2]->shape, y.shape));
    if (broadcast != y.shape) return absl::InvalidArgumentError("C does not broadcast to the product");
  }
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < inner; ++k) {
        sum += a.reals[PositionOf(a.shape, op.transpose_a ? Coordinates{k, i} : Coordinates{i, k})] *
               b.reals[PositionOf(b.shape, op.transpose_b ? Coordinates{j, k} : Coordinates{k, j})];
      }
      double& out = y.reals[PositionOf(y.shape, {i, j})];
      out = op.alpha * sum;
      if (Given(inputs, 2)) out += op.beta * inputs[2]->reals[BroadcastPosition(inputs[2]->shape, {i, j})];
    }
  }
  return y;
}

// numpy.matmul: a vector on the left is a row, on the right a column, and its axis is dropped from the product.
absl::StatusOr<RefTensor> Evaluate(const graph::MatMul&, RefInputs inputs) {
  RETURN_IF_ERROR(RequireReal(inputs));
  const RefTensor& a = *inputs[0];
  const RefTensor& b = *inputs[1];
  if (a.shape.rank() == 0 || b.shape.rank() == 0) return absl::InvalidArgumentError("a scalar is no matrix");
  const Shape a_shape = a.shape.rank() == 1 ? Shape({1, a.shape[0]}) : a.shape;
  const Shape b_shape = b.shape.rank() == 1 ? Shape({b.shape[0], 1}) : b.shape;
  const int64_t rows = a_shape[a_shape.rank() - 2];
  const int64_t inner = a_shape[a_shape.rank() - 1];
  const int64_t columns = b_shape[b_shape.rank() - 1];
  if (b_shape[b_shape.rank() - 2] != inner) {
    return absl::InvalidArgumentError(
        absl::StrCat("inner lengths of ", a.shape.ToString(), " and ", b.shape.ToString(), " differ"));
  }
  ASSIGN_OR_RETURN(const Shape batch, Broadcast(BatchOf(a_shape), BatchOf(b_shape)));
  Shape shape = batch;
  if (a.shape.rank() > 1) shape.Append(rows);
  if (b.shape.rank() > 1) shape.Append(columns);
  RefTensor y = ZeroTensor(a.data_type, shape);
  if (y.reals.empty()) return y;
  Coordinates at(static_cast<size_t>(batch.rank()), 0);
  size_t out = 0;
  do {
    const size_t a_begin = BroadcastPosition(BatchOf(a_shape), at) * static_cast<size_t>(rows * inner);
    const size_t b_begin = BroadcastPosition(BatchOf(b_shape), at) * static_cast<size_t>(inner * columns);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        double sum = 0;
        for (int64_t k = 0; k < inner; ++k) {
          sum += a.reals[a_begin + static_cast<size_t>(i * inner + k)] *
                 b.reals[b_begin + static_cast<size_t>(k * columns + j)];
        }
        y.reals[out++] = sum;
      }
    }
  } while (NextCoordinates(batch, at));
  return y;
}

absl::StatusOr<RefTensor> Evaluate(const graph::Softmax& op, RefInputs inputs) {
  RETURN_IF_ERROR(RequireReal(inputs));
  RefTensor y = *inputs[0];
  const int rank = y.shape.rank();
  ASSIGN_OR_RETURN(const int axis, AxisFromFront(op.axis, rank));
  const int line_end = op.flatten_to_2d ? rank : axis + 1;
  const auto lines = static_cast<size_t>(Product(y.shape, 0, axis));
  const auto count = static_cast<size_t>(Product(y.shape, axis, line_end));
  const auto stride = static_cast<size_t>(Product(y.shape, line_end, rank));
  for (size_t line = 0; line < lines; ++line) {
    for (size_t offset = 0; offset < stride; ++offset) {
      SoftmaxLine(op.log, y.reals.data() + line * count * stride + offset, count, stride);
    }
  }
  return y;
}

}  // namespace stillwave::test_support
