#include "server/kernels/broadcast.h"

#include <vector>

#include "server/base/check.h"

namespace stillwave::kernels {
namespace {

using tensor::Shape;

// Strides of a tensor seen under `rank` axes: 0 where it is broadcast.
std::vector<int64_t> BroadcastStrides(const Shape& from, int rank) {
  const std::vector<int64_t> strides = tensor::RowMajorStrides(from);
  std::vector<int64_t> result(static_cast<size_t>(rank), 0);
  for (int axis = 0; axis < from.rank(); ++axis) {
    if (from[axis] != 1) result[static_cast<size_t>(axis + rank - from.rank())] = strides[static_cast<size_t>(axis)];
  }
  return result;
}

}  // namespace

BroadcastPlan::BroadcastPlan(std::initializer_list<Shape> operands, const Shape& output) {
  SW_CHECK(operands.size() <= kMaxOperands && output.rank() <= tensor::kMaxRank);
  std::vector<std::vector<int64_t>> strides;
  for (const Shape& operand : operands) strides.push_back(BroadcastStrides(operand, output.rank()));
  std::vector<Axis> axes;
  for (int axis = 0; axis < output.rank(); ++axis) {
    Axis next{output[axis], {}};
    if (next.length == 0) empty_ = true;
    if (next.length == 1) continue;
    for (size_t i = 0; i < strides.size(); ++i) next.strides[i] = strides[i][static_cast<size_t>(axis)];
    bool joins = !axes.empty();
    for (size_t i = 0; joins && i < kMaxOperands; ++i) {
      joins = axes.back().strides[i] == next.strides[i] * next.length;
    }
    if (joins) {
      axes.back() = {axes.back().length * next.length, next.strides};
    } else {
      axes.push_back(next);
    }
  }
  if (axes.empty()) return;
  row_ = axes.back();
  outer_rank_ = static_cast<int>(axes.size()) - 1;
  for (size_t i = 0; i + 1 < axes.size(); ++i) outer_[i] = axes[i];
}

}  // namespace stillwave::kernels
