// What runs along one axis: ArgMax, ArgMin and CumSum.
#include <cstdint>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/kernels/convert.h"
#include "server/kernels/families.h"
#include "server/kernels/visit_type.h"

namespace stillwave::kernels {
namespace {

using tensor::Shape;

// The axis in the middle of {outer, length, inner}.
struct Extent {
  int64_t outer = 1;
  int64_t length = 1;
  int64_t inner = 1;
};

Extent SplitAt(const Shape& shape, int axis) {
  Extent extent;
  for (int i = 0; i < axis; ++i) extent.outer *= shape[i];
  extent.length = shape[axis];
  for (int i = axis + 1; i < shape.rank(); ++i) extent.inner *= shape[i];
  return extent;
}

// Calls visit(first) for every line along the axis, in the order of the outputs that lines have.
template <typename Visit>
void ForEachLine(const Extent& extent, Visit visit) {
  for (int64_t outer = 0; outer < extent.outer; ++outer) {
    for (int64_t inner = 0; inner < extent.inner; ++inner) visit(outer * extent.length * extent.inner + inner);
  }
}

// The first NaN is more extreme than any number, as in numpy.
template <typename T>
int64_t FindExtreme(const T* x, const Extent& extent, const graph::ArgReduce& op) {
  int64_t best = 0;
  for (int64_t i = 1; i < extent.length; ++i) {
    const T value = x[i * extent.inner];
    const T so_far = x[best * extent.inner];
    const bool is_nan = value != value;
    const bool was_nan = so_far != so_far;
    const bool beats = op.max ? value > so_far : value < so_far;
    const bool ties = op.select_last_index && (value == so_far || (is_nan && was_nan));
    if (beats || ties || (is_nan && !was_nan)) best = i;
  }
  return best;
}

template <typename T>
Kernel ArgKernel(const graph::ArgReduce& op, const Extent& extent) {
  return [op, extent](absl::Span<const void* const> sources, void* dst) {
    const auto* x = static_cast<const T*>(sources[0]);
    auto* y = static_cast<int64_t*>(dst);
    ForEachLine(extent, [&](int64_t first) { *y++ = FindExtreme(x + first, extent, op); });
  };
}

// Reals are added up in double, integers wrap.
template <typename T>
void AccumulateLine(const T* x, T* y, const Extent& extent, const graph::CumSum& op) {
  using Sum = std::conditional_t<std::is_integral_v<T>, uint64_t, double>;
  Sum sum = 0;
  for (int64_t i = 0; i < extent.length; ++i) {
    const int64_t at = (op.reverse ? extent.length - 1 - i : i) * extent.inner;
    if (op.exclusive) y[at] = static_cast<T>(sum);
    sum += static_cast<Sum>(x[at]);
    if (!op.exclusive) y[at] = static_cast<T>(sum);
  }
}

template <typename T>
Kernel CumSumKernel(const graph::CumSum& op, const Extent& extent) {
  return [op, extent](absl::Span<const void* const> sources, void* dst) {
    const auto* x = static_cast<const T*>(sources[0]);
    auto* y = static_cast<T*>(dst);
    ForEachLine(extent, [&](int64_t first) { AccumulateLine(x + first, y + first, extent, op); });
  };
}

}  // namespace

absl::StatusOr<Kernel> MakeArgReduce(const graph::ArgReduce& op, Inputs inputs, const Output&) {
  ASSIGN_OR_RETURN(const int axis, graph::NormalizeAxis(op.axis, inputs[0].shape.rank()));
  const Extent extent = SplitAt(inputs[0].shape, axis);
  Kernel kernel;
  VisitNumber(inputs[0].data_type, [&](auto x) { kernel = ArgKernel<decltype(x)>(op, extent); });
  if (kernel != nullptr) return kernel;
  return absl::UnimplementedError(absl::StrCat("no ", graph::OpName(op), " of ", tensor::Name(inputs[0].data_type)));
}

absl::StatusOr<Kernel> MakeCumSum(const graph::CumSum& op, Inputs inputs, const Output&) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> wanted, graph::IntegerValues(inputs[1], "axis"));
  ASSIGN_OR_RETURN(const int axis, graph::NormalizeAxis(wanted.at(0), inputs[0].shape.rank()));
  const Extent extent = SplitAt(inputs[0].shape, axis);
  Kernel kernel;
  VisitNumber(inputs[0].data_type, [&](auto x) { kernel = CumSumKernel<decltype(x)>(op, extent); });
  if (kernel != nullptr) return kernel;
  return absl::UnimplementedError(absl::StrCat("no CumSum of ", tensor::Name(inputs[0].data_type)));
}

}  // namespace stillwave::kernels
