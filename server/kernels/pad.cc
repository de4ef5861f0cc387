#include <algorithm>
#include <array>
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
  static constexpr char kZero[8] = {};
  if (std::memcmp(value, kZero, element_size) == 0) {
    if (count > 0) std::memset(dst, 0, static_cast<size_t>(count) * element_size);
    return;
  }
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

// Which index of the input an index of the padded axis reads. Only [first, last] is left after cropping.
int64_t SourceIndex(graph::PadMode mode, int64_t index, int64_t first, int64_t last) {
  switch (mode) {
    case graph::PadMode::kEdge:
      return std::clamp(index, first, last);
    case graph::PadMode::kWrap: {
      const int64_t length = last - first + 1;
      const int64_t offset = (index - first) % length;
      return first + (offset < 0 ? offset + length : offset);
    }
    default:
      if (index < first) index = 2 * first - index;
      return index <= last ? index : 2 * last - index;
  }
}

// The source offset of each index of a padded axis, in elements.
std::vector<int64_t> SourceOffsets(graph::PadMode mode, int64_t length, const PadAmount& amount, int64_t padded,
                                   int64_t stride) {
  const int64_t first = std::max<int64_t>(0, -amount.begin);
  const int64_t last = length - 1 - std::max<int64_t>(0, -amount.end);
  std::vector<int64_t> offsets;
  for (int64_t i = 0; i < padded; ++i) {
    offsets.push_back(SourceIndex(mode, i - amount.begin, first, last) * stride);
  }
  return offsets;
}

// Reflect, edge and wrap. Of each row the part that is kept is copied at once, the rest by element.
Kernel IndexedPad(graph::PadMode mode, Inputs inputs, const Output& output, const std::vector<PadAmount>& amounts) {
  const Shape& x = inputs[0].shape;
  const Shape& y = output.shape;
  const std::vector<int64_t> strides = RowMajorStrides(x);
  std::vector<std::vector<int64_t>> outer;
  for (int axis = 0; axis + 1 < x.rank(); ++axis) {
    const auto a = static_cast<size_t>(axis);
    outer.push_back(SourceOffsets(mode, x[axis], amounts[a], y[axis], strides[a]));
  }
  const int64_t length = y[y.rank() - 1];
  std::vector<int64_t> row = SourceOffsets(mode, x[x.rank() - 1], amounts.back(), length, 1);
  const auto size = static_cast<int64_t>(tensor::SizeOf(output.data_type));
  const int64_t kept_begin = std::max<int64_t>(0, amounts.back().begin);
  const int64_t kept_end = length - std::max<int64_t>(0, amounts.back().end);
  return [=, outer = std::move(outer), row = std::move(row)](absl::Span<const void* const> sources, void* dst) {
    char* to = static_cast<char*>(dst);
    std::array<size_t, tensor::kMaxRank> at{};
    bool more = true;
    while (more) {
      const char* from = static_cast<const char*>(sources[0]);
      for (size_t a = 0; a < outer.size(); ++a) from += outer[a][at[a]] * size;
      const auto copy = [&](int64_t j, int64_t count) {
        std::memcpy(to + j * size, from + row[static_cast<size_t>(j)] * size, static_cast<size_t>(count * size));
      };
      for (int64_t j = 0; j < kept_begin; ++j) copy(j, 1);
      if (kept_end > kept_begin) copy(kept_begin, kept_end - kept_begin);
      for (int64_t j = std::max(kept_begin, kept_end); j < length; ++j) copy(j, 1);
      to += length * size;
      more = false;
      for (size_t a = outer.size(); a-- > 0 && !more;) {
        more = ++at[a] < outer[a].size();
        if (!more) at[a] = 0;
      }
    }
  };
}

}  // namespace

absl::StatusOr<Kernel> MakePad(const graph::Pad& op, Inputs inputs, const Output& output) {
  ASSIGN_OR_RETURN(const std::vector<PadAmount> amounts, graph::PadAmounts(inputs));
  if (op.mode == graph::PadMode::kConstant) return ConstantPad(inputs, output, amounts);
  if (output.shape.rank() == 0 || output.shape.num_elements() == 0) return MakeCopy(inputs, output);
  return IndexedPad(op.mode, inputs, output, amounts);
}

}  // namespace stillwave::kernels
