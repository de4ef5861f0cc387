// Operators that take apart, repeat or regroup elements, as strided copies.
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/graph/movement_geometry.h"
#include "server/kernels/families.h"
#include "server/kernels/strided_copy.h"

namespace stillwave::kernels {
namespace {

using tensor::RowMajorStrides;
using tensor::Shape;

// Copies what `src_strides` picks, box element by box element, to a row-major output.
Kernel Rearrange(const Shape& box, const std::vector<int64_t>& src_strides, size_t element_size) {
  const StridedCopy copy(box, src_strides, RowMajorStrides(box), element_size);
  return [copy](absl::Span<const void* const> sources, void* dst) { copy.Run(sources[0], dst); };
}

}  // namespace

absl::StatusOr<Kernel> MakeSplitPart(const graph::SplitPart& op, Inputs inputs, const Output& output) {
  ASSIGN_OR_RETURN(const graph::SplitRange range, graph::ResolveSplit(op, inputs));
  const size_t element_size = tensor::SizeOf(output.data_type);
  const std::vector<int64_t> src_strides = RowMajorStrides(inputs[0].shape);
  const StridedCopy copy(output.shape, src_strides, RowMajorStrides(output.shape), element_size);
  const size_t offset = static_cast<size_t>(range.begin * src_strides[static_cast<size_t>(range.axis)]) * element_size;
  return Kernel([copy, offset](absl::Span<const void* const> sources, void* dst) {
    copy.Run(static_cast<const char*>(sources[0]) + offset, dst);
  });
}

// An axis of n elements repeated r times is r rows of the same n elements.
absl::StatusOr<Kernel> MakeTile(Inputs inputs, const Output& output) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> repeats, graph::TileRepeats(inputs));
  const Shape& x = inputs[0].shape;
  const std::vector<int64_t> strides = RowMajorStrides(x);
  Shape box;
  std::vector<int64_t> src_strides;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const auto i = static_cast<size_t>(axis);
    if (repeats[i] != 1) {
      box.Append(repeats[i]);
      src_strides.push_back(0);
    }
    if (x[axis] != 1) {
      box.Append(x[axis]);
      src_strides.push_back(strides[i]);
    }
  }
  if (box.rank() > tensor::kMaxRank) {
    return absl::UnimplementedError(absl::StrCat("repeats too many axes of ", x.ToString(), " at once"));
  }
  return Rearrange(box, src_strides, tensor::SizeOf(output.data_type));
}

// {N, C', H, b, W, b} of the output reads {N, b, b, C', H, W} of the input, or {N, C', b, b, H, W} in mode CRD.
absl::StatusOr<Kernel> MakeDepthToSpace(const graph::DepthToSpace& op, Inputs inputs, const Output& output) {
  const Shape& x = inputs[0].shape;
  const int64_t b = op.block;
  const int64_t channels = output.shape[1];
  const std::vector<int64_t> from = RowMajorStrides(x);
  const int64_t plane = from[1];
  const int64_t channel_stride = op.column_row_depth ? plane * b * b : plane;
  const int64_t column_stride = op.column_row_depth ? plane : plane * channels;
  return Rearrange({x[0], channels, x[2], b, x[3], b},
                   {from[0], channel_stride, from[2], column_stride * b, from[3], column_stride},
                   tensor::SizeOf(output.data_type));
}

// {N, b, b, C, H', W'} of the output reads {N, C, H', b, W', b} of the input.
absl::StatusOr<Kernel> MakeInterleave(const graph::Interleave& op, Inputs inputs, const Output& output) {
  const Shape& x = inputs[0].shape;
  const std::vector<int64_t> from = RowMajorStrides(x);
  const int64_t channels = output.shape[1];
  return Rearrange({x[0], channels, x[2], op.factor}, {from[0], from[1], from[2], from[1] * channels},
                   tensor::SizeOf(output.data_type));
}

absl::StatusOr<Kernel> MakeSpaceToDepth(const graph::SpaceToDepth& op, Inputs inputs, const Output& output) {
  const Shape& x = inputs[0].shape;
  const int64_t b = op.block;
  const std::vector<int64_t> from = RowMajorStrides(x);
  return Rearrange({x[0], b, b, x[1], output.shape[2], output.shape[3]},
                   {from[0], from[2], from[3], from[1], from[2] * b, from[3] * b}, tensor::SizeOf(output.data_type));
}

}  // namespace stillwave::kernels
