// Operators that only move elements, as strided copies.
#include <cstring>
#include <vector>

#include "server/base/status_macros.h"
#include "server/kernels/families.h"
#include "server/kernels/strided_copy.h"

namespace stillwave::kernels {

using graph::SliceRange;
using tensor::RowMajorStrides;
using tensor::Shape;

absl::StatusOr<Kernel> MakeCopy(Inputs, const Output& output) {
  const size_t bytes = static_cast<size_t>(output.shape.num_elements()) * tensor::SizeOf(output.data_type);
  return Kernel([bytes](absl::Span<const void* const> sources, void* dst) {
    if (bytes > 0) std::memcpy(dst, sources[0], bytes);
  });
}

absl::StatusOr<Kernel> MakeConcat(const graph::Concat& op, Inputs inputs, const Output& output) {
  ASSIGN_OR_RETURN(const int axis, graph::NormalizeAxis(op.axis, output.shape.rank()));
  const size_t element_size = tensor::SizeOf(output.data_type);
  const std::vector<int64_t> dst_strides = RowMajorStrides(output.shape);
  struct Part {
    StridedCopy copy;
    size_t dst_offset;  // bytes
  };
  std::vector<Part> parts;
  int64_t start = 0;
  for (const graph::InputType& input : inputs) {
    const auto offset = static_cast<size_t>(start * dst_strides[static_cast<size_t>(axis)]) * element_size;
    parts.push_back({StridedCopy(input.shape, RowMajorStrides(input.shape), dst_strides, element_size), offset});
    start += input.shape[axis];
  }
  return Kernel([parts = std::move(parts)](absl::Span<const void* const> sources, void* dst) {
    for (size_t i = 0; i < parts.size(); ++i)
      parts[i].copy.Run(sources[i], static_cast<char*>(dst) + parts[i].dst_offset);
  });
}

absl::StatusOr<Kernel> MakeTranspose(const graph::Transpose& op, Inputs inputs, const Output& output) {
  const std::vector<int64_t> perm = graph::TransposePerm(op, output.shape.rank());
  const std::vector<int64_t> strides = RowMajorStrides(inputs[0].shape);
  std::vector<int64_t> src_strides;
  for (const int64_t axis : perm) src_strides.push_back(strides[static_cast<size_t>(axis)]);
  const StridedCopy copy(output.shape, src_strides, RowMajorStrides(output.shape), tensor::SizeOf(output.data_type));
  return Kernel([copy](absl::Span<const void* const> sources, void* dst) { copy.Run(sources[0], dst); });
}

absl::StatusOr<Kernel> MakeSlice(Inputs inputs, const Output& output) {
  ASSIGN_OR_RETURN(const std::vector<SliceRange> ranges, graph::SliceRanges(inputs));
  const size_t element_size = tensor::SizeOf(output.data_type);
  std::vector<int64_t> src_strides = RowMajorStrides(inputs[0].shape);
  int64_t offset = 0;
  for (size_t axis = 0; axis < ranges.size(); ++axis) {
    // An empty axis reads nothing; its `begin` may lie outside.
    if (ranges[axis].count > 0) offset += ranges[axis].begin * src_strides[axis];
    // A step is only taken between elements, and a huge one would overflow where there is just one.
    src_strides[axis] = ranges[axis].count > 1 ? src_strides[axis] * ranges[axis].step : 0;
  }
  const StridedCopy copy(output.shape, src_strides, RowMajorStrides(output.shape), element_size);
  const int64_t byte_offset = offset * static_cast<int64_t>(element_size);
  return Kernel([copy, byte_offset](absl::Span<const void* const> sources, void* dst) {
    copy.Run(static_cast<const char*>(sources[0]) + byte_offset, dst);
  });
}

absl::StatusOr<Kernel> MakeExpand(Inputs inputs, const Output& output) {
  const Shape& from = inputs[0].shape;
  const int missing = output.shape.rank() - from.rank();
  const std::vector<int64_t> strides = RowMajorStrides(from);
  std::vector<int64_t> src_strides(static_cast<size_t>(output.shape.rank()), 0);
  for (int axis = 0; axis < from.rank(); ++axis) {
    if (from[axis] != 1) src_strides[static_cast<size_t>(axis + missing)] = strides[static_cast<size_t>(axis)];
  }
  const StridedCopy copy(output.shape, src_strides, RowMajorStrides(output.shape), tensor::SizeOf(output.data_type));
  return Kernel([copy](absl::Span<const void* const> sources, void* dst) { copy.Run(sources[0], dst); });
}

}  // namespace stillwave::kernels
