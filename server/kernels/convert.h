// One number as another type, defined for every value.
#pragma once

#include <cmath>
#include <limits>
#include <type_traits>

#include "server/kernels/half.h"

namespace stillwave::kernels {

template <typename T>
inline constexpr bool kIsShort = std::is_same_v<T, Half> || std::is_same_v<T, BFloat>;

// Integers wrap. C++ leaves the conversion of a real that does not fit an integer undefined: it saturates, and NaN is
// 0.
template <typename To, typename From>
To Convert(From value) {
  if constexpr (kIsShort<From>) {
    return Convert<To>(Widen(value));
  } else if constexpr (kIsShort<To>) {
    return NarrowTo<To>(static_cast<double>(value));
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From{0};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    if (std::isnan(value)) return To{0};
    if (value <= static_cast<From>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    if (value >= static_cast<From>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
    return static_cast<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

}  // namespace stillwave::kernels
