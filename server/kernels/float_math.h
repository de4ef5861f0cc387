// Exponential and error function of floats without calls and branches, so that loops over them are vectorized. The
// polynomials are minimax fits made for this file; errors are against the functions in double.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace stillwave::kernels {

// x = n ln 2 + r with |r| <= ln 2 / 2; then e^x = 2^n (1 + r + r² p(r)).
struct ReducedExponent {
  float scale_a;  // 2^n as two factors: alone it would leave the range of float before e^x does
  float scale_b;
  float tail;  // e^r - 1
};

inline ReducedExponent ReduceExponent(float x) {
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0.693145752F;  // few bits, so that n * kLn2High is exact
  constexpr float kLn2Low = 1.42860677e-6F;
  constexpr float kRounder = 12582912.0F;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  // Beyond these e^x is 0 or infinite.
  x = x < -104.0F ? -104.0F : x;
  x = x > 89.0F ? 89.0F : x;
  const float shifted = x * kLog2E + kRounder;
  const float n = shifted - kRounder;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  const float p = 0.5F + r * (0.166665122F + r * (0.0416661873F + r * (0.00836959854F + r * 0.00139517186F)));
  // Of a NaN the integer is arbitrary, and unsigned so that it may be.
  const uint32_t exponent = std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(kRounder);
  const uint32_t half = static_cast<uint32_t>(static_cast<int32_t>(exponent) >> 1);
  const auto power = [](uint32_t e) { return std::bit_cast<float>((e + 127U) << 23); };
  return {power(half), power(exponent - half), r + r * r * p};
}

// Relative error below 2e-7.
inline float Exp(float x) {
  const ReducedExponent e = ReduceExponent(x);
  return (1.0F + e.tail) * e.scale_a * e.scale_b;
}
inline double Exp(double x) { return std::exp(x); }

// e^x - 1 without cancellation. REQUIRES: x <= 0 or NaN.
inline float ExpMinus1(float x) {
  const ReducedExponent e = ReduceExponent(x);
  const float scale = e.scale_a * e.scale_b;
  return (scale - 1.0F) + scale * e.tail;
}
inline double ExpMinus1(double x) { return std::expm1(x); }

// x P(x²) / Q(x²) up to where erf rounds to 1. Relative error below 4e-7.
inline float Erf(float x) {
  constexpr float kOne = 3.92F;
  x = x < -kOne ? -kOne : x;
  x = x > kOne ? kOne : x;
  const float t = x * x;
  const float p =
      1.12837911F +
      t * (0.190406054F + t * (0.0527486764F + t * (0.00376560166F + t * (0.000284882786F + t * 2.05009542e-6F))));
  const float q =
      1.0F + t * (0.502075732F + t * (0.11410895F + t * (0.0149691859F + t * (0.00116253260F + t * 3.80917027e-5F))));
  const float y = x * p / q;
  const float capped = y > 1.0F ? 1.0F : y;
  return capped < -1.0F ? -1.0F : capped;
}
inline double Erf(double x) { return std::erf(x); }

}  // namespace stillwave::kernels
