// What the binary operators mean for two elements. Defined for all values: integers wrap and do not trap.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "server/graph/op.h"
#include "server/kernels/convert.h"

namespace stillwave::kernels {

template <typename T>
T WrappingPower(T base, T exponent) {
  if constexpr (std::is_signed_v<T>) {
    if (exponent < 0) return Convert<T>(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  using U = std::common_type_t<std::make_unsigned_t<T>, unsigned>;  // so that the product is not promoted to int
  auto factor = static_cast<U>(base);
  U power = 1;
  for (auto left = static_cast<std::make_unsigned_t<T>>(exponent); left != 0; left >>= 1) {
    if ((left & 1) != 0) power *= factor;
    factor *= factor;
  }
  return static_cast<T>(power);
}

// base^exponent as the base's type. Squares are multiplied wherever they come, so that all loops give the same bits.
template <typename T, typename E>
T Power(T base, E exponent) {
  if constexpr (std::is_floating_point_v<T>) {
    if (exponent == E{2}) return base * base;
  }
  if constexpr (std::is_same_v<T, float>) {
    return std::pow(base, static_cast<float>(exponent));
  } else if constexpr (std::is_integral_v<T> && std::is_same_v<T, E>) {
    return WrappingPower(base, exponent);
  } else {
    return Convert<T>(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
}

template <typename T>
T Remainder(T a, T b, bool sign_of_divisor) {
  if constexpr (std::is_floating_point_v<T>) {
    const T rest = std::fmod(a, b);
    return sign_of_divisor && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  } else {
    if (b == 0) return 0;
    if constexpr (std::is_signed_v<T>) {
      if (b == -1) return 0;  // the smallest integer would trap
    }
    const T rest = static_cast<T>(a % b);
    return sign_of_divisor && rest != 0 && (rest < 0) != (b < 0) ? static_cast<T>(rest + b) : rest;
  }
}

template <typename T>
T Quotient(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0) return 0;
    if constexpr (std::is_signed_v<T>) {
      if (b == -1) return static_cast<T>(std::make_unsigned_t<T>{0} - static_cast<std::make_unsigned_t<T>>(a));
    }
    return static_cast<T>(a / b);
  } else {
    return a / b;
  }
}

// T for arithmetic, bool for comparisons and logic. A NaN in Min or Max stays, as in numpy.
template <graph::BinaryKind kKind, typename T>
auto Combine(T a, T b) {
  using graph::BinaryKind;
  if constexpr (kKind == BinaryKind::kEqual) return a == b;
  if constexpr (kKind == BinaryKind::kLess) return a < b;
  if constexpr (kKind == BinaryKind::kLessOrEqual) return a <= b;
  if constexpr (kKind == BinaryKind::kGreater) return a > b;
  if constexpr (kKind == BinaryKind::kGreaterOrEqual) return a >= b;
  if constexpr (kKind == BinaryKind::kAnd) return static_cast<bool>(a & b);
  if constexpr (kKind == BinaryKind::kOr) return static_cast<bool>(a | b);
  if constexpr (kKind == BinaryKind::kXor) return static_cast<bool>(a ^ b);
  if constexpr (kKind < BinaryKind::kEqual) {
    // Signed overflow is undefined in C++, also of what small integers are promoted to.
    using U = std::conditional_t<std::is_integral_v<T>, uint64_t, T>;
    if constexpr (kKind == BinaryKind::kAdd) return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
    if constexpr (kKind == BinaryKind::kSub) return static_cast<T>(static_cast<U>(a) - static_cast<U>(b));
    if constexpr (kKind == BinaryKind::kMul) return static_cast<T>(static_cast<U>(a) * static_cast<U>(b));
    if constexpr (kKind == BinaryKind::kDiv) return Quotient(a, b);
    if constexpr (kKind == BinaryKind::kMod) return Remainder(a, b, /*sign_of_divisor=*/true);
    if constexpr (kKind == BinaryKind::kFmod) return Remainder(a, b, /*sign_of_divisor=*/false);
    if constexpr (kKind == BinaryKind::kMin) return ((a < b) | (a != a)) ? a : b;
    if constexpr (kKind == BinaryKind::kMax) return ((a > b) | (a != a)) ? a : b;
    if constexpr (kKind == BinaryKind::kPRelu) {
      const T scaled = Combine<BinaryKind::kMul>(a, b);  // computed always, so that the loop has no branch
      return a < T{0} ? scaled : a;
    }
  }
}

}  // namespace stillwave::kernels
