// FP16 and BF16 as storage: values that only a Cast reads or writes.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace stillwave::kernels {

// IEEE binary16: 1 sign, 5 exponent and 10 mantissa bits.
struct Half {
  static constexpr int kMantissaBits = 10;
  static constexpr int kExponentBits = 5;
  uint16_t bits;
};

// The upper half of a binary32: 1 sign, 8 exponent and 7 mantissa bits.
struct BFloat {
  static constexpr int kMantissaBits = 7;
  static constexpr int kExponentBits = 8;
  uint16_t bits;
};

// Rounds to nearest, ties to even; what is too large becomes an infinity.
template <typename To>
To NarrowTo(double value) {
  constexpr int kDoubleMantissa = 52;
  constexpr int64_t kBias = (int64_t{1} << (To::kExponentBits - 1)) - 1;
  constexpr int64_t kTop = (int64_t{1} << To::kExponentBits) - 1;  // the exponent of infinities and NaN
  const auto from = std::bit_cast<uint64_t>(value);
  const auto sign = static_cast<uint16_t>(from >> 63 << 15);
  const auto infinity = static_cast<uint16_t>(kTop << To::kMantissaBits);
  if (std::isnan(value)) return {static_cast<uint16_t>(sign | infinity | (1U << (To::kMantissaBits - 1)))};
  const uint64_t mantissa = from & ((uint64_t{1} << kDoubleMantissa) - 1);
  const int64_t exponent = static_cast<int64_t>(from >> kDoubleMantissa & 0x7FF) - 1023 + kBias;
  if (exponent >= kTop) return {static_cast<uint16_t>(sign | infinity)};
  // The target's exponent and mantissa side by side, with `shift` bits more than it has; a subnormal has its leading
  // one written out. A carry out of the mantissa raises the exponent, as it should.
  uint64_t wide = static_cast<uint64_t>(exponent) << kDoubleMantissa | mantissa;
  int64_t shift = kDoubleMantissa - To::kMantissaBits;
  if (exponent <= 0) {
    wide = uint64_t{1} << kDoubleMantissa | mantissa;
    shift += 1 - exponent;
    if (shift > kDoubleMantissa + 1) return {sign};
  }
  const uint64_t kept = wide >> shift;
  const uint64_t rest = wide & ((uint64_t{1} << shift) - 1);
  const uint64_t half = uint64_t{1} << (shift - 1);
  const bool up = rest > half || (rest == half && (kept & 1) != 0);
  return {static_cast<uint16_t>(sign | (kept + (up ? 1 : 0)))};
}

inline float Widen(BFloat value) { return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16); }

inline float Widen(Half value) {
  const float sign = (value.bits & 0x8000U) != 0 ? -1.0F : 1.0F;
  const int exponent = value.bits >> Half::kMantissaBits & 0x1F;
  const int mantissa = value.bits & 0x3FF;
  if (exponent == 0x1F) {
    return mantissa != 0 ? std::numeric_limits<float>::quiet_NaN() : sign * std::numeric_limits<float>::infinity();
  }
  return sign * (exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24)
                               : std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25));
}

}  // namespace stillwave::kernels
