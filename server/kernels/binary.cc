// Binary operators and Where, row by row over the broadcast shape.
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/kernels/arithmetic.h"
#include "server/kernels/broadcast.h"
#include "server/kernels/families.h"
#include "server/kernels/visit_type.h"

namespace stillwave::kernels {
namespace {

using graph::BinaryKind;
using tensor::DataType;

// `count` elements; a stride is 1, or 0 where the operand is one element for the whole row.
using BinaryRow = void (*)(const void* a, const void* b, void* out, int64_t count, int64_t stride_a, int64_t stride_b);

// Loops that a compiler can vectorize, by what stands still.
template <typename A, typename B, typename R, typename Function>
void Row(const void* left, const void* right, void* out, int64_t count, int64_t stride_a, int64_t stride_b,
         Function function) {
  const auto* __restrict a = static_cast<const A*>(left);
  const auto* __restrict b = static_cast<const B*>(right);
  auto* __restrict y = static_cast<R*>(out);
  if (stride_a != 0 && stride_b != 0) {
    for (int64_t i = 0; i < count; ++i) y[i] = function(a[i], b[i]);
  } else if (stride_a != 0) {
    const B fixed = *b;
    for (int64_t i = 0; i < count; ++i) y[i] = function(a[i], fixed);
  } else {
    const A fixed = *a;
    // Rows of one element have no stride at all.
    if (stride_b == 0) return void(y[0] = function(fixed, *b));
    for (int64_t i = 0; i < count; ++i) y[i] = function(fixed, b[i]);
  }
}

template <BinaryKind kKind, typename T>
void CombineRow(const void* a, const void* b, void* out, int64_t count, int64_t stride_a, int64_t stride_b) {
  using R = decltype(Combine<kKind>(T{}, T{}));
  Row<T, T, R>(a, b, out, count, stride_a, stride_b, [](T x, T y) { return Combine<kKind>(x, y); });
}

template <typename T, typename E>
void PowerRow(const void* a, const void* b, void* out, int64_t count, int64_t stride_a, int64_t stride_b) {
  if constexpr (std::is_floating_point_v<T>) {
    // What networks raise to: the square, of any length of row.
    if (stride_b == 0 && *static_cast<const E*>(b) == E{2}) {
      return Row<T, E, T>(a, b, out, count, stride_a, stride_b, [](T x, E) { return x * x; });
    }
  }
  Row<T, E, T>(a, b, out, count, stride_a, stride_b, [](T x, E e) { return Power(x, e); });
}

template <typename T>
BinaryRow NumberRow(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::kAdd:
      return CombineRow<BinaryKind::kAdd, T>;
    case BinaryKind::kSub:
      return CombineRow<BinaryKind::kSub, T>;
    case BinaryKind::kMul:
      return CombineRow<BinaryKind::kMul, T>;
    case BinaryKind::kDiv:
      return CombineRow<BinaryKind::kDiv, T>;
    case BinaryKind::kMod:
      return CombineRow<BinaryKind::kMod, T>;
    case BinaryKind::kFmod:
      return CombineRow<BinaryKind::kFmod, T>;
    case BinaryKind::kMin:
      return CombineRow<BinaryKind::kMin, T>;
    case BinaryKind::kMax:
      return CombineRow<BinaryKind::kMax, T>;
    case BinaryKind::kPRelu:
      return CombineRow<BinaryKind::kPRelu, T>;
    case BinaryKind::kEqual:
      return CombineRow<BinaryKind::kEqual, T>;
    case BinaryKind::kLess:
      return CombineRow<BinaryKind::kLess, T>;
    case BinaryKind::kLessOrEqual:
      return CombineRow<BinaryKind::kLessOrEqual, T>;
    case BinaryKind::kGreater:
      return CombineRow<BinaryKind::kGreater, T>;
    case BinaryKind::kGreaterOrEqual:
      return CombineRow<BinaryKind::kGreaterOrEqual, T>;
    default:
      return nullptr;
  }
}

BinaryRow BoolRow(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::kEqual:
      return CombineRow<BinaryKind::kEqual, bool>;
    case BinaryKind::kAnd:
      return CombineRow<BinaryKind::kAnd, bool>;
    case BinaryKind::kOr:
      return CombineRow<BinaryKind::kOr, bool>;
    case BinaryKind::kXor:
      return CombineRow<BinaryKind::kXor, bool>;
    default:
      return nullptr;
  }
}

BinaryRow FindRow(BinaryKind kind, DataType a, DataType b) {
  if (a == DataType::kBool) return BoolRow(kind);
  BinaryRow row = nullptr;
  VisitNumber(a, [&](auto x) {
    if (kind != BinaryKind::kPow) {
      row = NumberRow<decltype(x)>(kind);
      return;
    }
    VisitNumber(b, [&](auto e) { row = PowerRow<decltype(x), decltype(e)>; });
  });
  return row;
}

template <typename Bits>
void ChooseRow(const bool* condition, const void* if_true, const void* if_false, void* out, int64_t count,
               const BroadcastPlan::Offsets& strides) {
  const auto* __restrict x = static_cast<const Bits*>(if_true);
  const auto* __restrict y = static_cast<const Bits*>(if_false);
  auto* __restrict to = static_cast<Bits*>(out);
  for (int64_t i = 0; i < count; ++i) {
    to[i] = condition[i * strides[0]] ? x[i * strides[1]] : y[i * strides[2]];
  }
}

template <typename Bits>
Kernel ChooseKernel(const BroadcastPlan& plan) {
  return [plan](absl::Span<const void* const> sources, void* dst) {
    auto* to = static_cast<Bits*>(dst);
    plan.ForEachRow([&](const BroadcastPlan::Offsets& at) {
      ChooseRow<Bits>(static_cast<const bool*>(sources[0]) + at[0], static_cast<const Bits*>(sources[1]) + at[1],
                      static_cast<const Bits*>(sources[2]) + at[2], to, plan.row_length(), plan.row_strides());
      to += plan.row_length();
    });
  };
}

}  // namespace

namespace {

// Only sums get a ReLU fused, and only of these types can there be one in a graph.
absl::StatusOr<Kernel> WithRelu(Kernel sum, const Output& output) {
  const int64_t count = output.shape.num_elements();
  const auto clamp = [&](auto zero) {
    return Kernel([sum = std::move(sum), count, zero](absl::Span<const void* const> sources, void* dst) {
      sum(sources, dst);
      auto* y = static_cast<decltype(zero)*>(dst);
      for (int64_t i = 0; i < count; ++i) y[i] = y[i] < zero ? zero : y[i];
    });
  };
  switch (output.data_type) {
    case DataType::kFloat32:
      return clamp(0.0F);
    case DataType::kFloat64:
      return clamp(0.0);
    case DataType::kInt32:
      return clamp(int32_t{0});
    case DataType::kInt64:
      return clamp(int64_t{0});
    default:
      return absl::UnimplementedError(absl::StrCat("no Relu of ", tensor::Name(output.data_type)));
  }
}

}  // namespace

absl::StatusOr<Kernel> MakeBinary(const graph::Binary& op, Inputs inputs, const Output& output) {
  const BinaryRow row = FindRow(op.kind, inputs[0].data_type, inputs[1].data_type);
  if (row == nullptr) {
    return absl::UnimplementedError(absl::StrCat("no ", graph::OpName(op), " of ", tensor::Name(inputs[0].data_type)));
  }
  const auto size_a = static_cast<int64_t>(tensor::SizeOf(inputs[0].data_type));
  const auto size_b = static_cast<int64_t>(tensor::SizeOf(inputs[1].data_type));
  const auto size_y = static_cast<int64_t>(tensor::SizeOf(output.data_type));
  const BroadcastPlan plan({inputs[0].shape, inputs[1].shape}, output.shape);
  Kernel kernel([=](absl::Span<const void* const> sources, void* dst) {
    const auto* a = static_cast<const char*>(sources[0]);
    const auto* b = static_cast<const char*>(sources[1]);
    auto* y = static_cast<char*>(dst);
    plan.ForEachRow([&](const BroadcastPlan::Offsets& at) {
      row(a + at[0] * size_a, b + at[1] * size_b, y, plan.row_length(), plan.row_strides()[0], plan.row_strides()[1]);
      y += plan.row_length() * size_y;
    });
  });
  return op.fused_relu ? WithRelu(std::move(kernel), output) : kernel;
}

absl::StatusOr<Kernel> MakeWhere(Inputs inputs, const Output& output) {
  const BroadcastPlan plan({inputs[0].shape, inputs[1].shape, inputs[2].shape}, output.shape);
  switch (tensor::SizeOf(output.data_type)) {
    case 1:
      return ChooseKernel<uint8_t>(plan);
    case 2:
      return ChooseKernel<uint16_t>(plan);
    case 4:
      return ChooseKernel<uint32_t>(plan);
    default:
      return ChooseKernel<uint64_t>(plan);
  }
}

}  // namespace stillwave::kernels
