#include "server/tensor/shape.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/check.h"

namespace stillwave::tensor {

bool Shape::IsConcrete() const {
  for (const int64_t dim : dims_) {
    if (dim < 0) return false;
  }
  return true;
}

absl::StatusOr<int64_t> Shape::ElementCount() const {
  int64_t count = 1;
  bool has_zero = false;
  for (const int64_t dim : dims_) {
    if (dim < 0) return absl::InvalidArgumentError(absl::StrCat("shape ", ToString(), " has a negative dimension"));
    if (dim == 0) {
      has_zero = true;
      continue;
    }
    if (__builtin_mul_overflow(count, dim, &count)) {
      return absl::InvalidArgumentError(absl::StrCat("shape ", ToString(), " has more elements than 2^63-1"));
    }
  }
  return has_zero ? 0 : count;
}

int64_t Shape::num_elements() const {
  const absl::StatusOr<int64_t> count = ElementCount();
  SW_CHECK(count.ok());
  return *count;
}

std::string Shape::ToString() const { return absl::StrCat("[", absl::StrJoin(dims_, ","), "]"); }

std::vector<int64_t> RowMajorStrides(const Shape& shape) {
  std::vector<int64_t> strides(static_cast<size_t>(shape.rank()));
  int64_t stride = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[static_cast<size_t>(axis)] = stride;
    stride *= shape[axis];
  }
  return strides;
}

}  // namespace stillwave::tensor
