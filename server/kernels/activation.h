// What the unary operators mean for one real element.
#pragma once

#include <cmath>

#include "server/graph/op.h"
#include "server/kernels/float_math.h"

namespace stillwave::kernels {

// Selections compute both sides, so that a loop over them has no branch and is vectorized. T is float or double.
template <graph::UnaryKind kKind, typename T>
T Activate(T x, T alpha, T beta) {
  using graph::UnaryKind;
  if constexpr (kKind == UnaryKind::kRelu) return x < T{0} ? T{0} : x;
  if constexpr (kKind == UnaryKind::kLeakyRelu) {
    const T scaled = alpha * x;
    return x < T{0} ? scaled : x;
  }
  if constexpr (kKind == UnaryKind::kElu) {
    const T low = alpha * ExpMinus1(x > T{0} ? T{0} : x);
    return x < T{0} ? low : x;
  }
  if constexpr (kKind == UnaryKind::kSigmoid) return T{1} / (T{1} + Exp(-x));
  if constexpr (kKind == UnaryKind::kTanh) return std::tanh(x);
  if constexpr (kKind == UnaryKind::kAbs) return std::abs(x);
  if constexpr (kKind == UnaryKind::kExp) return std::exp(x);
  if constexpr (kKind == UnaryKind::kLog) return std::log(x);
  if constexpr (kKind == UnaryKind::kNeg) return -x;
  if constexpr (kKind == UnaryKind::kSqrt) return std::sqrt(x);
  if constexpr (kKind == UnaryKind::kSelu) {
    const T low = beta * alpha * ExpMinus1(x > T{0} ? T{0} : x);
    const T high = beta * x;
    return x > T{0} ? high : low;
  }
  if constexpr (kKind == UnaryKind::kCelu) {
    const T low = alpha * ExpMinus1((x > T{0} ? T{0} : x) / alpha);
    return x > T{0} ? x : low;
  }
  if constexpr (kKind == UnaryKind::kHardSigmoid || kKind == UnaryKind::kHardSwish) {
    const bool swish = kKind == UnaryKind::kHardSwish;
    T gate = swish ? x * (T{1} / T{6}) + T{0.5} : alpha * x + beta;
    gate = gate < T{0} ? T{0} : gate;
    gate = gate > T{1} ? T{1} : gate;
    return swish ? x * gate : gate;
  }
  // Of ln(1 + e^x) and ln(1 + e^-x) + x the one that cannot overflow.
  if constexpr (kKind == UnaryKind::kSoftplus) return (x > T{0} ? x : T{0}) + std::log1p(std::exp(-std::abs(x)));
  if constexpr (kKind == UnaryKind::kSoftsign) return x / (T{1} + std::abs(x));
  if constexpr (kKind == UnaryKind::kThresholdedRelu) return x > alpha ? x : T{0};
  if constexpr (kKind == UnaryKind::kErf) return Erf(x);
  if constexpr (kKind == UnaryKind::kGelu) return T{0.5} * x * (T{1} + Erf(x * T{0.70710678118654752}));
  // x/2 (1 + tanh u) = x / (1 + e^-2u)
  if constexpr (kKind == UnaryKind::kGeluTanh) {
    const T u = T{0.79788456080286536} * (x + T{0.044715} * x * x * x);
    return x / (T{1} + Exp(T{-2} * u));
  }
  // tanh(ln(1 + e)) = (e² + 2e) / (e² + 2e + 2) with e = e^x; from 20 on it is 1 in float and double alike.
  if constexpr (kKind == UnaryKind::kMish) {
    const T e = Exp(x > T{20} ? T{20} : x);
    const T n = e * (e + T{2});
    return x * (n / (n + T{2}));
  }
  if constexpr (kKind == UnaryKind::kSwish) return x / (T{1} + Exp(-alpha * x));
  if constexpr (kKind == UnaryKind::kClip) {
    const T low = x < alpha ? alpha : x;
    return low > beta ? beta : low;
  }
  if constexpr (kKind == UnaryKind::kReciprocal) return T{1} / x;
  // 0 and NaN are their own sign.
  if constexpr (kKind == UnaryKind::kSign) return x > T{0} ? T{1} : (x < T{0} ? T{-1} : x);
  if constexpr (kKind == UnaryKind::kFloor) return std::floor(x);
  if constexpr (kKind == UnaryKind::kCeil) return std::ceil(x);
  if constexpr (kKind == UnaryKind::kRound) return std::nearbyint(x);
  if constexpr (kKind == UnaryKind::kSin) return std::sin(x);
  if constexpr (kKind == UnaryKind::kCos) return std::cos(x);
  if constexpr (kKind == UnaryKind::kTan) return std::tan(x);
  if constexpr (kKind == UnaryKind::kAsin) return std::asin(x);
  if constexpr (kKind == UnaryKind::kAcos) return std::acos(x);
  if constexpr (kKind == UnaryKind::kAtan) return std::atan(x);
  if constexpr (kKind == UnaryKind::kSinh) return std::sinh(x);
  if constexpr (kKind == UnaryKind::kCosh) return std::cosh(x);
  if constexpr (kKind == UnaryKind::kAsinh) return std::asinh(x);
  if constexpr (kKind == UnaryKind::kAcosh) return std::acosh(x);
  if constexpr (kKind == UnaryKind::kAtanh) return std::atanh(x);
}

}  // namespace stillwave::kernels
