#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/status/status.h"
#include "server/base/status_macros.h"
#include "server/kernels/families.h"
#include "server/kernels/strided_copy.h"

namespace stillwave::kernels {
namespace {

using graph::PadAmount;
using tensor::RowMajorStrides;
using tensor::Shape;

void Fill(void* dst, int64_t count, const void* value, size_t element_size) {
  char* out = static_cast<char*>(dst);
  for (int64_t i = 0; i < count; ++i) std::memcpy(out + static_cast<size_t>(i) * element_size, value, element_size);
}

// Fill everything, then copy what is kept of the input over it. A negative amount crops.
Kernel ConstantPad(Inputs inputs, const Output& output, const std::vector<PadAmount>& amounts) {
  const Shape& x = inputs[0].shape;
  const std::vector<int64_t> src_strides = RowMajorStrides(x);
  const std::vector<int64_t> dst_strides = RowMajorStrides(output.shape);
  Shape box;
  int64_t src_offset = 0;
  int64_t dst_offset = 0;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const auto a = static_cast<size_t>(axis);
    const int64_t cropped = std::max<int64_t>(0, -amounts[a].begin);
    const int64_t end = std::min(x[axis], x[axis] + amounts[a].end);
    box.Append(std::max<int64_t>(0, end - cropped));
    src_offset += cropped * src_strides[a];
    dst_offset += std::max<int64_t>(0, amounts[a].begin) * dst_strides[a];
  }
  const size_t size = tensor::SizeOf(output.data_type);
  const StridedCopy copy(box, src_strides, dst_strides, size);
  const bool has_value = inputs.size() > 2 && inputs[2].present;
  const int64_t count = output.shape.num_elements();
  const auto src_bytes = static_cast<size_t>(src_offset) * size;
  const auto dst_bytes = static_cast<size_t>(dst_offset) * size;
  const bool is_empty = box.num_elements() == 0;
  return [=](absl::Span<const void* const> sources, void* dst) {
    static constexpr char kZero[8] = {};
    Fill(dst, count, has_value ? sources[2] : kZero, size);
    if (is_empty) return;
    copy.Run(static_cast<const char*>(sources[0]) + src_bytes, static_cast<char*>(dst) + dst_bytes);
  };
}

// Which index of the input an index of the padded axis reads.
int64_t SourceIndex(graph::PadMode mode, int64_t index, int64_t length) {
  if (mode == graph::PadMode::kEdge) return std::clamp<int64_t>(index, 0, length - 1);
  if (index < 0) index = -index;
  return index < length ? index : 2 * (length - 1) - index;
}

// Reflect and edge: the offset that each index of each axis reads is tabulated once.
Kernel IndexedPad(graph::PadMode mode, Inputs inputs, const Output& output, const std::vector<PadAmount>& amounts) {
  const Shape& x = inputs[0].shape;
  const std::vector<int64_t> strides = RowMajorStrides(x);
  std::vector<std::vector<int64_t>> offsets;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const auto a = static_cast<size_t>(axis);
    std::vector<int64_t> table;
    for (int64_t i = 0; i < output.shape[axis]; ++i) {
      table.push_back(SourceIndex(mode, i - amounts[a].begin, x[axis]) * strides[a]);
    }
    offsets.push_back(std::move(table));
  }
  const size_t size = tensor::SizeOf(output.data_type);
  return [=, offsets = std::move(offsets), shape = output.shape](absl::Span<const void* const> sources, void* dst) {
    const char* from = static_cast<const char*>(sources[0]);
    char* to = static_cast<char*>(dst);
    const int64_t count = shape.num_elements();
    for (int64_t i = 0; i < count; ++i) {
      int64_t rest = i;
      int64_t offset = 0;
      for (int axis = shape.rank() - 1; axis >= 0; --axis) {
        offset += offsets[static_cast<size_t>(axis)][static_cast<size_t>(rest % shape[axis])];
        rest /= shape[axis];
      }
      std::memcpy(to, from + static_cast<size_t>(offset) * size, size);
      to += size;
    }
  };
}

}  // namespace

absl::StatusOr<Kernel> MakePad(const graph::Pad& op, Inputs inputs, const Output& output) {
  ASSIGN_OR_RETURN(const std::vector<PadAmount> amounts, graph::PadAmounts(inputs));
  if (op.mode == graph::PadMode::kConstant) return ConstantPad(inputs, output, amounts);
  return IndexedPad(op.mode, inputs, output, amounts);
}

}  // namespace stillwave::kernels
