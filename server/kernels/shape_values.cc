// Operators that make or convert values: Shape, ConstantOfShape, Cast.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/kernels/families.h"

namespace stillwave::kernels {
namespace {

using tensor::DataType;

template <typename From, typename To>
To Convert(From value) {
  if constexpr (std::is_same_v<To, bool>) {
    return value != From{0};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // C++ leaves the conversion of what does not fit undefined; saturate.
    if (std::isnan(value)) return To{0};
    if (value <= static_cast<From>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    if (value >= static_cast<From>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
    return static_cast<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

template <typename From, typename To>
Kernel CastKernel(int64_t count) {
  return [count](absl::Span<const void* const> sources, void* dst) {
    const auto* from = static_cast<const From*>(sources[0]);
    auto* to = static_cast<To*>(dst);
    for (int64_t i = 0; i < count; ++i) to[i] = Convert<From, To>(from[i]);
  };
}

// Calls `visit` with a value of the C++ type of `type`; false for types that have none here (FP16, BF16).
template <typename Visit>
bool VisitType(DataType type, Visit visit) {
  switch (type) {
    case DataType::kBool:
      return visit(bool{}), true;
    case DataType::kUint8:
      return visit(uint8_t{}), true;
    case DataType::kInt8:
      return visit(int8_t{}), true;
    case DataType::kInt32:
      return visit(int32_t{}), true;
    case DataType::kInt64:
      return visit(int64_t{}), true;
    case DataType::kFloat32:
      return visit(float{}), true;
    case DataType::kFloat64:
      return visit(double{}), true;
    default:
      return false;
  }
}

}  // namespace

absl::StatusOr<Kernel> MakeCast(const graph::Cast& op, Inputs inputs, const Output& output) {
  const int64_t count = output.shape.num_elements();
  Kernel kernel;
  const bool known = VisitType(inputs[0].data_type, [&](auto from) {
    VisitType(op.to, [&](auto to) { kernel = CastKernel<decltype(from), decltype(to)>(count); });
  });
  if (!known || kernel == nullptr) {
    return absl::UnimplementedError(
        absl::StrCat("cannot cast ", tensor::Name(inputs[0].data_type), " to ", tensor::Name(op.to)));
  }
  return kernel;
}

absl::StatusOr<Kernel> MakeShapeOf(const graph::ShapeOf& op, Inputs inputs, const Output& output) {
  const int64_t rank = inputs[0].shape.rank();
  const int64_t start = std::clamp<int64_t>(op.start < 0 ? op.start + rank : op.start, 0, rank);
  const auto all = inputs[0].shape.dims();
  const std::vector<int64_t> dims(all.begin() + start, all.begin() + start + output.shape[0]);
  return Kernel([dims](absl::Span<const void* const>, void* dst) {
    if (!dims.empty()) std::memcpy(dst, dims.data(), dims.size() * sizeof(int64_t));
  });
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
