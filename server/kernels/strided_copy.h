// Copies an n-dimensional box between two strided arrays: the one loop behind Transpose, Slice, Expand, Concat and Pad.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "server/tensor/shape.h"

namespace stillwave::kernels {

// Prepared once, run often; neither allocates. Value type, thread-safe once made.
class StridedCopy {
 public:
  // Strides are in elements, may be 0 (broadcast) or negative in the source. REQUIRES: box is concrete, its rank is at
  // most tensor::kMaxRank, the stride lists have its rank, element_size is 1, 2, 4 or 8.
  StridedCopy(const tensor::Shape& box, absl::Span<const int64_t> src_strides, absl::Span<const int64_t> dst_strides,
              size_t element_size);

  // `src` and `dst` point to the box's first element.
  void Run(const void* src, void* dst) const;

 private:
  struct Axis {
    int64_t length;
    int64_t src_stride;  // bytes
    int64_t dst_stride;  // bytes
  };

  void CopyInner(const char* src, char* dst) const;

  bool empty_ = false;
  size_t element_size_;
  Axis inner_{1, 0, 0};
  int outer_rank_ = 0;
  std::array<Axis, tensor::kMaxRank> outer_;  // slowest first
};

}  // namespace stillwave::kernels
