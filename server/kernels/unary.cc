// Unary operators over contiguous elements.
#include <array>
#include <cmath>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/kernels/activation.h"
#include "server/kernels/convert.h"
#include "server/kernels/families.h"
#include "server/kernels/visit_type.h"

namespace stillwave::kernels {
namespace {

using graph::UnaryKind;
using tensor::DataType;

using UnaryRow = void (*)(const void* src, void* dst, int64_t count, const graph::Unary& op);

template <UnaryKind kKind, typename T>
void RealRow(const void* src, void* dst, int64_t count, const graph::Unary& op) {
  const auto* __restrict from = static_cast<const T*>(src);
  auto* __restrict to = static_cast<T*>(dst);
  const T alpha = op.alpha;
  const T beta = op.beta;
  for (int64_t i = 0; i < count; ++i) to[i] = Activate<kKind>(from[i], alpha, beta);
}

// By kind; Not and IsNaN, which come last, have types of their own.
template <typename T, size_t... kKinds>
constexpr std::array<UnaryRow, sizeof...(kKinds)> RealRows(std::index_sequence<kKinds...>) {
  return {RealRow<static_cast<UnaryKind>(kKinds), T>...};
}

template <typename T>
UnaryRow FindRealRow(UnaryKind kind) {
  constexpr size_t kCount = static_cast<size_t>(UnaryKind::kNot);
  static constexpr std::array<UnaryRow, kCount> kRows = RealRows<T>(std::make_index_sequence<kCount>());
  return static_cast<size_t>(kind) < kCount ? kRows[static_cast<size_t>(kind)] : nullptr;
}

template <typename T, typename R, typename Function>
void Map(const void* src, void* dst, int64_t count, Function function) {
  const auto* __restrict from = static_cast<const T*>(src);
  auto* __restrict to = static_cast<R*>(dst);
  for (int64_t i = 0; i < count; ++i) to[i] = function(from[i]);
}

// The negative of the smallest integer is itself: it wraps.
template <typename T>
T Negated(T x) {
  return static_cast<T>(uint64_t{0} - static_cast<uint64_t>(x));
}

template <typename T>
UnaryRow FindIntegerRow(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::kAbs:
      return [](const void* src, void* dst, int64_t count, const graph::Unary&) {
        Map<T, T>(src, dst, count, [](T x) { return x < T{0} ? Negated(x) : x; });
      };
    case UnaryKind::kNeg:
      return [](const void* src, void* dst, int64_t count, const graph::Unary&) {
        Map<T, T>(src, dst, count, [](T x) { return Negated(x); });
      };
    case UnaryKind::kSign:
      return [](const void* src, void* dst, int64_t count, const graph::Unary&) {
        Map<T, T>(src, dst, count, [](T x) { return static_cast<T>((x > T{0}) - (x < T{0})); });
      };
    case UnaryKind::kRelu:
      return [](const void* src, void* dst, int64_t count, const graph::Unary&) {
        Map<T, T>(src, dst, count, [](T x) { return x < T{0} ? T{0} : x; });
      };
    case UnaryKind::kClip:
      return [](const void* src, void* dst, int64_t count, const graph::Unary& op) {
        const T low = Convert<T>(op.alpha);
        const T high = Convert<T>(op.beta);
        Map<T, T>(src, dst, count,
                  [low, high](T x) { return x < low ? (low > high ? high : low) : (x > high ? high : x); });
      };
    default:
      return nullptr;
  }
}

template <typename T>
void IsNanRow(const void* src, void* dst, int64_t count, const graph::Unary&) {
  Map<T, bool>(src, dst, count, [](T x) { return x != x; });
}

UnaryRow FindRow(UnaryKind kind, DataType type) {
  if (kind == UnaryKind::kIsNan) return type == DataType::kFloat32 ? IsNanRow<float> : IsNanRow<double>;
  if (kind == UnaryKind::kNot) {
    return [](const void* src, void* dst, int64_t count, const graph::Unary&) {
      Map<bool, bool>(src, dst, count, [](bool x) { return !x; });
    };
  }
  UnaryRow row = nullptr;
  VisitNumber(type, [&](auto x) {
    using T = decltype(x);
    if constexpr (std::is_floating_point_v<T>) {
      row = FindRealRow<T>(kind);
    } else {
      row = FindIntegerRow<T>(kind);
    }
  });
  return row;
}

}  // namespace

absl::StatusOr<Kernel> MakeUnary(const graph::Unary& op, Inputs inputs, const Output& output) {
  const UnaryRow row = FindRow(op.kind, inputs[0].data_type);
  if (row == nullptr) {
    return absl::UnimplementedError(absl::StrCat("no ", graph::OpName(op), " of ", tensor::Name(inputs[0].data_type)));
  }
  return Kernel([row, op, count = output.shape.num_elements()](absl::Span<const void* const> sources, void* dst) {
    row(sources[0], dst, count, op);
  });
}

}  // namespace stillwave::kernels
