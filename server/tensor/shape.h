// Dimensions of a tensor, outermost first: {N, C, T} is N samples of C channels of T time steps.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace stillwave::tensor {

// A dimension that is only known when a request comes.
inline constexpr int64_t kDynamicDim = -1;

// More dimensions than any network here needs; what declares more is refused.
inline constexpr int kMaxRank = 12;

// A value type; distinct objects may be used from several threads.
class Shape {
 public:
  Shape() = default;  // rank 0: a scalar
  Shape(std::initializer_list<int64_t> dims) : dims_(dims) {}
  explicit Shape(absl::Span<const int64_t> dims) : dims_(dims.begin(), dims.end()) {}

  int rank() const { return static_cast<int>(dims_.size()); }
  // REQUIRES: 0 <= axis < rank().
  int64_t operator[](int axis) const { return dims_[static_cast<size_t>(axis)]; }
  int64_t& operator[](int axis) { return dims_[static_cast<size_t>(axis)]; }
  absl::Span<const int64_t> dims() const { return dims_; }
  void Append(int64_t dim) { dims_.push_back(dim); }

  // True when no dimension is dynamic or negative.
  bool IsConcrete() const;

  // The product of all dimensions (1 for a scalar). INVALID_ARGUMENT when a dimension is negative or the product
  // does not fit into int64.
  absl::StatusOr<int64_t> ElementCount() const;

  // As ElementCount. REQUIRES: the shape was checked by ElementCount before.
  int64_t num_elements() const;

  // "[1,3,80]"; a dynamic dimension is -1.
  std::string ToString() const;

  friend bool operator==(const Shape& a, const Shape& b) { return a.dims_ == b.dims_; }
  friend bool operator!=(const Shape& a, const Shape& b) { return !(a == b); }

  template <typename H>
  friend H AbslHashValue(H state, const Shape& shape) {
    return H::combine(std::move(state), shape.dims_);
  }

 private:
  absl::InlinedVector<int64_t, 4> dims_;
};

// Row-major strides in elements: {2,3,4} -> {12,4,1}. REQUIRES: shape is concrete.
std::vector<int64_t> RowMajorStrides(const Shape& shape);

}  // namespace stillwave::tensor
