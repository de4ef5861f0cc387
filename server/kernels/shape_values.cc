// Operators that make values: Shape, Size, Range, ConstantOfShape.
#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/status/status.h"
#include "server/kernels/families.h"

namespace stillwave::kernels {
namespace {

using tensor::DataType;

template <typename T>
Kernel RangeKernel(int64_t count) {
  return [count](absl::Span<const void* const> sources, void* dst) {
    const T start = *static_cast<const T*>(sources[0]);
    const T delta = *static_cast<const T*>(sources[2]);
    auto* to = static_cast<T*>(dst);
    for (int64_t i = 0; i < count; ++i) {
      if constexpr (std::is_integral_v<T>) {
        // Wraps where rounding made one element too many: signed overflow would be undefined.
        using U = std::make_unsigned_t<T>;
        to[i] = static_cast<T>(static_cast<U>(start) + static_cast<U>(i) * static_cast<U>(delta));
      } else {
        to[i] = start + static_cast<T>(i) * delta;
      }
    }
  };
}

}  // namespace

absl::StatusOr<Kernel> MakeShapeOf(const graph::ShapeOf& op, Inputs inputs, const Output& output) {
  const int64_t rank = inputs[0].shape.rank();
  const int64_t start = std::clamp<int64_t>(op.start < 0 ? op.start + rank : op.start, 0, rank);
  const auto all = inputs[0].shape.dims();
  const std::vector<int64_t> dims(all.begin() + start, all.begin() + start + output.shape[0]);
  return Kernel([dims](absl::Span<const void* const>, void* dst) {
    if (!dims.empty()) std::memcpy(dst, dims.data(), dims.size() * sizeof(int64_t));
  });
}

absl::StatusOr<Kernel> MakeSizeOf(Inputs inputs, const Output&) {
  const int64_t count = inputs[0].shape.num_elements();
  return Kernel([count](absl::Span<const void* const>, void* dst) { std::memcpy(dst, &count, sizeof(count)); });
}

absl::StatusOr<Kernel> MakeRange(Inputs, const Output& output) {
  const int64_t count = output.shape.num_elements();
  switch (output.data_type) {
    case DataType::kFloat32:
      return RangeKernel<float>(count);
    case DataType::kFloat64:
      return RangeKernel<double>(count);
    case DataType::kInt32:
      return RangeKernel<int32_t>(count);
    case DataType::kInt64:
      return RangeKernel<int64_t>(count);
    default:
      return absl::UnimplementedError(absl::StrCat("makes no ", tensor::Name(output.data_type)));
  }
}

absl::StatusOr<Kernel> MakeConstantOfShape(const graph::ConstantOfShape& op, Inputs, const Output& output) {
  const size_t size = tensor::SizeOf(output.data_type);
  std::vector<char> value(size, 0);
  if (op.value != nullptr) {
    if (op.value->num_elements() != 1) return absl::InvalidArgumentError("value must have one element");
    std::memcpy(value.data(), op.value->data(), size);
  }
  return Kernel([value, count = output.shape.num_elements()](absl::Span<const void* const>, void* dst) {
    char* to = static_cast<char*>(dst);
    for (int64_t i = 0; i < count; ++i, to += value.size()) std::memcpy(to, value.data(), value.size());
  });
}

}  // namespace stillwave::kernels
