// Reductions, extremes and running sums: the elements behind each output are collected first, then folded.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "tests/support/reference_ops.h"

namespace stillwave::test_support {
namespace {

using graph::ReduceKind;
using tensor::DataType;
using tensor::Shape;

// The axes a reduction runs over, as one flag per axis.
absl::StatusOr<std::vector<bool>> ReducedAxes(const graph::Reduce& op, RefInputs inputs) {
  const int rank = inputs[0]->shape.rank();
  std::vector<int64_t> axes;
  if (Given(inputs, 1)) {
    ASSIGN_OR_RETURN(axes, IntegersOf(inputs, 1, "axes"));
  }
  const bool all = axes.empty() && !op.noop_with_empty_axes;
  std::vector<bool> reduced(static_cast<size_t>(rank), all);
  for (const int64_t axis : axes) {
    ASSIGN_OR_RETURN(const int from_front, AxisFromFront(axis, rank));
    reduced[static_cast<size_t>(from_front)] = true;
  }
  return reduced;
}

double FoldReals(ReduceKind kind, const std::vector<double>& x) {
  const auto sum = [&x](auto function) {
    double total = 0;
    for (const double value : x) total += function(value);
    return total;
  };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const bool has_nan = std::any_of(x.begin(), x.end(), [](double value) { return std::isnan(value); });
  switch (kind) {
    case ReduceKind::kMean:
      return sum([](double v) { return v; }) / static_cast<double>(x.size());
    case ReduceKind::kSum:
      return sum([](double v) { return v; });
    case ReduceKind::kMax:
      return has_nan
                 ? std::nan("")
                 : std::accumulate(x.begin(), x.end(), -kInfinity, [](double a, double b) { return std::max(a, b); });
    case ReduceKind::kMin:
      return has_nan
                 ? std::nan("")
                 : std::accumulate(x.begin(), x.end(), kInfinity, [](double a, double b) { return std::min(a, b); });
    case ReduceKind::kProd:
      return std::accumulate(x.begin(), x.end(), 1.0, std::multiplies<>());
    case ReduceKind::kL1:
      return sum([](double v) { return std::abs(v); });
    case ReduceKind::kL2:
      return std::sqrt(sum([](double v) { return v * v; }));
    case ReduceKind::kLogSum:
      return std::log(sum([](double v) { return v; }));
    case ReduceKind::kLogSumExp:
      return std::log(sum([](double v) { return std::exp(v); }));
    case ReduceKind::kSumSquare:
      return sum([](double v) { return v * v; });
  }
  return std::nan("");
}

int64_t Lowest(DataType type) {
  if (type == DataType::kInt32) return std::numeric_limits<int32_t>::min();
  if (type == DataType::kInt64) return std::numeric_limits<int64_t>::min();
  return 0;  // of the unsigned types and BOOL
}

int64_t Highest(DataType type) {
  if (type == DataType::kInt32) return std::numeric_limits<int32_t>::max();
  if (type == DataType::kInt64) return std::numeric_limits<int64_t>::max();
  return WrapTo(type, -1);
}

int64_t FoldIntegers(ReduceKind kind, DataType type, const std::vector<int64_t>& x) {
  const auto fold = [&x](int64_t start, auto step) { return std::accumulate(x.begin(), x.end(), start, step); };
  switch (kind) {
    case ReduceKind::kSum:
      return fold(0, std::plus<>());
    case ReduceKind::kProd:
      return fold(1, std::multiplies<>());
    case ReduceKind::kL1:
      return fold(0, [](int64_t a, int64_t b) { return a + std::abs(b); });
    case ReduceKind::kSumSquare:
      return fold(0, [](int64_t a, int64_t b) { return a + b * b; });
    case ReduceKind::kMax:
      return x.empty() ? Lowest(type) : *std::max_element(x.begin(), x.end());
    case ReduceKind::kMin:
      return x.empty() ? Highest(type) : *std::min_element(x.begin(), x.end());
    default:
      return static_cast<int64_t>(FoldReals(kind, {x.begin(), x.end()}));
  }
}

// The values at `axis`, in order, for each position of the other axes in row-major order; `visit` gets the positions in
// x's elements.
template <typename Visit>
void ForEachLine(const Shape& shape, int axis, Visit visit) {
  Shape others = shape;
  others[axis] = 1;
  if (shape.num_elements() == 0) return;
  Coordinates at(static_cast<size_t>(shape.rank()), 0);
  do {
    std::vector<size_t> line;
    Coordinates walk = at;
    for (int64_t i = 0; i < shape[axis]; ++i) {
      walk[static_cast<size_t>(axis)] = i;
      line.push_back(PositionOf(shape, walk));
    }
    visit(line);
  } while (NextCoordinates(others, at));
}

template <typename T>
int64_t ArgExtreme(const std::vector<T>& x, const std::vector<size_t>& line, const graph::ArgReduce& op) {
  size_t best = 0;
  for (size_t i = 1; i < line.size(); ++i) {
    const T value = op.max ? x[line[i]] : -x[line[i]];
    const T so_far = op.max ? x[line[best]] : -x[line[best]];
    if (value > so_far || (op.select_last_index && value == so_far)) best = i;
  }
  return static_cast<int64_t>(best);
}

template <typename T>
void RunningSum(const std::vector<T>& x, std::vector<size_t> line, const graph::CumSum& op, std::vector<T>& y) {
  if (op.reverse) std::reverse(line.begin(), line.end());
  T sum = 0;
  for (const size_t i : line) {
    y[i] = op.exclusive ? sum : sum + x[i];
    sum += x[i];
  }
}

}  // namespace

absl::StatusOr<RefTensor> Evaluate(const graph::Reduce& op, RefInputs inputs) {
  const RefTensor& x = *inputs[0];
  ASSIGN_OR_RETURN(const std::vector<bool> reduced, ReducedAxes(op, inputs));
  Shape kept;      // with length 1 for reduced axes
  Shape squeezed;  // without them
  for (int axis = 0; axis < x.shape.rank(); ++axis) {
    const bool folds = reduced[static_cast<size_t>(axis)];
    kept.Append(folds ? 1 : x.shape[axis]);
    if (!folds) squeezed.Append(x.shape[axis]);
  }
  RefTensor y = ZeroTensor(x.data_type, op.keep_dims ? kept : squeezed);
  std::vector<std::vector<double>> reals(y.reals.size());
  std::vector<std::vector<int64_t>> integers(y.integers.size());
  Coordinates at(static_cast<size_t>(x.shape.rank()), 0);
  for (size_t i = 0; i < static_cast<size_t>(x.shape.num_elements()); ++i, NextCoordinates(x.shape, at)) {
    if (x.is_real()) {
      reals[BroadcastPosition(kept, at)].push_back(x.reals[i]);
    } else {
      integers[BroadcastPosition(kept, at)].push_back(x.integers[i]);
    }
  }
  for (size_t i = 0; i < reals.size(); ++i) y.reals[i] = FoldReals(op.kind, reals[i]);
  for (size_t i = 0; i < integers.size(); ++i) {
    y.integers[i] = WrapTo(y.data_type, FoldIntegers(op.kind, x.data_type, integers[i]));
  }
  return y;
}

absl::StatusOr<RefTensor> Evaluate(const graph::ArgReduce& op, RefInputs inputs) {
  const RefTensor& x = *inputs[0];
  ASSIGN_OR_RETURN(const int axis, AxisFromFront(op.axis, x.shape.rank()));
  Shape shape;
  for (int i = 0; i < x.shape.rank(); ++i) {
    if (i != axis) shape.Append(x.shape[i]);
    if (i == axis && op.keep_dims) shape.Append(1);
  }
  RefTensor y{DataType::kInt64, shape, {}, {}};
  ForEachLine(x.shape, axis, [&](const std::vector<size_t>& line) {
    y.integers.push_back(x.is_real() ? ArgExtreme(x.reals, line, op) : ArgExtreme(x.integers, line, op));
  });
  return y;
}

absl::StatusOr<RefTensor> Evaluate(const graph::CumSum& op, RefInputs inputs) {
  const RefTensor& x = *inputs[0];
  ASSIGN_OR_RETURN(const std::vector<int64_t> wanted, IntegersOf(inputs, 1, "axis"));
  ASSIGN_OR_RETURN(const int axis, AxisFromFront(wanted.at(0), x.shape.rank()));
  RefTensor y = x;
  ForEachLine(x.shape, axis, [&](const std::vector<size_t>& line) {
    if (x.is_real()) {
      RunningSum(x.reals, line, op, y.reals);
    } else {
      RunningSum(x.integers, line, op, y.integers);
    }
  });
  return y;
}

}  // namespace stillwave::test_support
