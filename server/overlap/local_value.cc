#include "server/overlap/local_value.h"

#include <cstddef>
#include <cstdint>

namespace stillwave::overlap {

tensor::Shape StepShape(const tensor::Shape& shape, int time_axis) {
  tensor::Shape step;
  for (int axis = 1; axis < shape.rank(); ++axis) {
    if (axis != time_axis) step.Append(shape[axis]);
  }
  return step;
}

std::vector<int64_t> PermToTimeSecond(int rank, int time_axis) {
  if (time_axis == 1) return {};
  std::vector<int64_t> perm = {0, time_axis};
  for (int axis = 1; axis < rank; ++axis) {
    if (axis != time_axis) perm.push_back(axis);
  }
  return perm;
}

std::vector<int64_t> PermFromTimeSecond(int rank, int time_axis) {
  const std::vector<int64_t> perm = PermToTimeSecond(rank, time_axis);
  std::vector<int64_t> inverse(perm.size());
  for (size_t i = 0; i < perm.size(); ++i) inverse[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  return inverse;
}

}  // namespace stillwave::overlap
