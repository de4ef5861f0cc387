#include "server/kernels/strided_copy.h"

#include <cstring>

#include "server/base/check.h"

namespace stillwave::kernels {
namespace {

template <size_t kSize>
void CopyElements(const char* src, int64_t src_stride, char* dst, int64_t dst_stride, int64_t length) {
  for (int64_t i = 0; i < length; ++i) {
    std::memcpy(dst, src, kSize);
    src += src_stride;
    dst += dst_stride;
  }
}

}  // namespace

StridedCopy::StridedCopy(const tensor::Shape& box, absl::Span<const int64_t> src_strides,
                         absl::Span<const int64_t> dst_strides, size_t element_size)
    : element_size_(element_size) {
  const auto rank = static_cast<size_t>(box.rank());
  SW_CHECK(rank <= tensor::kMaxRank && src_strides.size() == rank && dst_strides.size() == rank);
  const auto size = static_cast<int64_t>(element_size);
  // Axes of length 1 vanish; neighbours that lie behind each other in both arrays become one.
  std::array<Axis, tensor::kMaxRank> axes;
  int count = 0;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t length = box[static_cast<int>(i)];
    if (length == 0) empty_ = true;
    if (length == 1) continue;
    const Axis axis{length, src_strides[i] * size, dst_strides[i] * size};
    if (count > 0) {
      Axis& last = axes[static_cast<size_t>(count) - 1];
      if (last.src_stride == axis.src_stride * length && last.dst_stride == axis.dst_stride * length) {
        last = {last.length * length, axis.src_stride, axis.dst_stride};
        continue;
      }
    }
    axes[static_cast<size_t>(count++)] = axis;
  }
  if (count > 0) {
    inner_ = axes[static_cast<size_t>(count) - 1];
    outer_rank_ = count - 1;
    outer_ = axes;
  }
}

void StridedCopy::CopyInner(const char* src, char* dst) const {
  const auto size = static_cast<int64_t>(element_size_);
  if (inner_.length == 1 || (inner_.src_stride == size && inner_.dst_stride == size)) {
    std::memcpy(dst, src, static_cast<size_t>(inner_.length) * element_size_);
    return;
  }
  switch (element_size_) {
    case 1:
      return CopyElements<1>(src, inner_.src_stride, dst, inner_.dst_stride, inner_.length);
    case 2:
      return CopyElements<2>(src, inner_.src_stride, dst, inner_.dst_stride, inner_.length);
    case 4:
      return CopyElements<4>(src, inner_.src_stride, dst, inner_.dst_stride, inner_.length);
    default:
      SW_CHECK(element_size_ == 8);
      return CopyElements<8>(src, inner_.src_stride, dst, inner_.dst_stride, inner_.length);
  }
}

void StridedCopy::Run(const void* src, void* dst) const {
  if (empty_) return;
  const char* from = static_cast<const char*>(src);
  char* to = static_cast<char*>(dst);
  std::array<int64_t, tensor::kMaxRank> index{};
  while (true) {
    CopyInner(from, to);
    int axis = outer_rank_ - 1;
    for (; axis >= 0; --axis) {
      const auto a = static_cast<size_t>(axis);
      from += outer_[a].src_stride;
      to += outer_[a].dst_stride;
      if (++index[a] < outer_[a].length) break;
      from -= outer_[a].src_stride * outer_[a].length;
      to -= outer_[a].dst_stride * outer_[a].length;
      index[a] = 0;
    }
    if (axis < 0) return;
  }
}

}  // namespace stillwave::kernels
