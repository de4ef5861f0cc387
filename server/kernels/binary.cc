#include <array>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/kernels/families.h"

namespace stillwave::kernels {
namespace {

using graph::BinaryKind;
using tensor::DataType;
using tensor::Shape;

template <BinaryKind kKind, typename T>
T Apply(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    // Overflow wraps, as two's complement does in the frameworks; signed overflow would be undefined here.
    using U = std::make_unsigned_t<T>;
    if constexpr (kKind == BinaryKind::kAdd) return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
    if constexpr (kKind == BinaryKind::kSub) return static_cast<T>(static_cast<U>(a) - static_cast<U>(b));
    if constexpr (kKind == BinaryKind::kMul) return static_cast<T>(static_cast<U>(a) * static_cast<U>(b));
    if (b == 0) return 0;
    if (b == -1) return static_cast<T>(U{0} - static_cast<U>(a));
    return a / b;
  } else {
    if constexpr (kKind == BinaryKind::kAdd) return a + b;
    if constexpr (kKind == BinaryKind::kSub) return a - b;
    if constexpr (kKind == BinaryKind::kMul) return a * b;
    return a / b;
  }
}

// The output's axes with both inputs' strides (0 where broadcast), neighbours joined where that is possible.
struct Broadcast {
  struct Axis {
    int64_t length = 1;
    int64_t a = 0;
    int64_t b = 0;
  };
  Axis inner;
  int outer_rank = 0;
  std::array<Axis, tensor::kMaxRank> outer;
  bool empty = false;
};

std::vector<int64_t> BroadcastStrides(const Shape& from, int rank) {
  const std::vector<int64_t> strides = tensor::RowMajorStrides(from);
  std::vector<int64_t> result(static_cast<size_t>(rank), 0);
  for (int axis = 0; axis < from.rank(); ++axis) {
    if (from[axis] != 1) result[static_cast<size_t>(axis + rank - from.rank())] = strides[static_cast<size_t>(axis)];
  }
  return result;
}

Broadcast PlanBroadcast(const Shape& a, const Shape& b, const Shape& output) {
  const std::vector<int64_t> strides_a = BroadcastStrides(a, output.rank());
  const std::vector<int64_t> strides_b = BroadcastStrides(b, output.rank());
  Broadcast plan;
  std::vector<Broadcast::Axis> axes;
  for (int axis = 0; axis < output.rank(); ++axis) {
    const auto i = static_cast<size_t>(axis);
    const Broadcast::Axis next{output[axis], strides_a[i], strides_b[i]};
    if (next.length == 0) plan.empty = true;
    if (next.length == 1) continue;
    if (!axes.empty() && axes.back().a == next.a * next.length && axes.back().b == next.b * next.length) {
      axes.back() = {axes.back().length * next.length, next.a, next.b};
    } else {
      axes.push_back(next);
    }
  }
  if (!axes.empty()) {
    plan.inner = axes.back();
    axes.pop_back();
  }
  plan.outer_rank = static_cast<int>(axes.size());
  for (size_t i = 0; i < axes.size(); ++i) plan.outer[i] = axes[i];
  return plan;
}

template <BinaryKind kKind, typename T>
void Inner(const T* a, const T* b, T* out, const Broadcast::Axis& axis) {
  // Three loops that a compiler can vectorise, and one for the rest.
  if (axis.a == 1 && axis.b == 1) {
    for (int64_t i = 0; i < axis.length; ++i) out[i] = Apply<kKind>(a[i], b[i]);
  } else if (axis.a == 1 && axis.b == 0) {
    for (int64_t i = 0; i < axis.length; ++i) out[i] = Apply<kKind>(a[i], *b);
  } else if (axis.a == 0 && axis.b == 1) {
    for (int64_t i = 0; i < axis.length; ++i) out[i] = Apply<kKind>(*a, b[i]);
  } else {
    for (int64_t i = 0; i < axis.length; ++i) out[i] = Apply<kKind>(a[i * axis.a], b[i * axis.b]);
  }
}

template <BinaryKind kKind, typename T>
Kernel BinaryKernel(const Broadcast& plan) {
  return [plan](absl::Span<const void* const> sources, void* dst) {
    if (plan.empty) return;
    const T* a = static_cast<const T*>(sources[0]);
    const T* b = static_cast<const T*>(sources[1]);
    T* out = static_cast<T*>(dst);
    std::array<int64_t, tensor::kMaxRank> index{};
    while (true) {
      Inner<kKind>(a, b, out, plan.inner);
      out += plan.inner.length;
      int axis = plan.outer_rank - 1;
      for (; axis >= 0; --axis) {
        const auto i = static_cast<size_t>(axis);
        a += plan.outer[i].a;
        b += plan.outer[i].b;
        if (++index[i] < plan.outer[i].length) break;
        a -= plan.outer[i].a * plan.outer[i].length;
        b -= plan.outer[i].b * plan.outer[i].length;
        index[i] = 0;
      }
      if (axis < 0) return;
    }
  };
}

template <typename T>
Kernel ForType(BinaryKind kind, const Broadcast& plan) {
  switch (kind) {
    case BinaryKind::kAdd:
      return BinaryKernel<BinaryKind::kAdd, T>(plan);
    case BinaryKind::kSub:
      return BinaryKernel<BinaryKind::kSub, T>(plan);
    case BinaryKind::kMul:
      return BinaryKernel<BinaryKind::kMul, T>(plan);
    case BinaryKind::kDiv:
      return BinaryKernel<BinaryKind::kDiv, T>(plan);
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<Kernel> MakeBinary(const graph::Binary& op, Inputs inputs, const Output& output) {
  const Broadcast plan = PlanBroadcast(inputs[0].shape, inputs[1].shape, output.shape);
  switch (output.data_type) {
    case DataType::kFloat32:
      return ForType<float>(op.kind, plan);
    case DataType::kInt64:
      return ForType<int64_t>(op.kind, plan);
    case DataType::kInt32:
      return ForType<int32_t>(op.kind, plan);
    default:
      return absl::UnimplementedError(absl::StrCat("no arithmetic on ", tensor::Name(output.data_type)));
  }
}

}  // namespace stillwave::kernels
