// What a reduction does with one element after the other: a state, a step, and what is made of the state in the end.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "server/graph/op.h"
#include "server/kernels/convert.h"

namespace stillwave::kernels {

// Max and Min. A NaN wins and stays: nothing compares with it.
template <graph::ReduceKind kKind, typename T>
struct ExtremeFold {
  static constexpr bool kIsMax = kKind == graph::ReduceKind::kMax;
  using State = T;
  using Limits = std::numeric_limits<T>;

  static State Start() {
    if constexpr (Limits::has_infinity) return kIsMax ? -Limits::infinity() : Limits::infinity();
    return kIsMax ? Limits::lowest() : Limits::max();
  }
  static void Step(State& state, T x) {
    const bool wins = (kIsMax ? x > state : x < state) | (x != x);
    state = wins ? x : state;
  }
  static void Join(State& state, State other) { Step(state, other); }
  static T Finish(State state, int64_t) { return state; }
};

// Sums and products. Reals are added up in double: exact enough that the order of axes does not show in a float.
// Integers wrap.
template <graph::ReduceKind kKind, typename T>
struct SumFold {
  using Kind = graph::ReduceKind;
  static constexpr bool kWraps = std::is_integral_v<T> && (kKind == Kind::kSum || kKind == Kind::kProd ||
                                                           kKind == Kind::kL1 || kKind == Kind::kSumSquare);
  using State = std::conditional_t<kWraps, uint64_t, double>;

  static State Start() { return kKind == Kind::kProd ? State{1} : State{0}; }
  static void Step(State& state, T x) {
    const auto value = static_cast<State>(x);
    if constexpr (kKind == Kind::kProd) {
      state *= value;
    } else if constexpr (kKind == Kind::kL1) {
      state += x < T{0} ? -value : value;
    } else if constexpr (kKind == Kind::kL2 || kKind == Kind::kSumSquare) {
      state += value * value;
    } else {
      state += value;
    }
  }
  static void Join(State& state, State other) {
    if constexpr (kKind == Kind::kProd) {
      state *= other;
    } else {
      state += other;
    }
  }
  static T Finish(State state, int64_t count) {
    if constexpr (kKind == Kind::kMean) return Convert<T>(state / static_cast<double>(count));
    if constexpr (kKind == Kind::kL2) return Convert<T>(std::sqrt(state));
    if constexpr (kKind == Kind::kLogSum) return Convert<T>(std::log(state));
    return Convert<T>(state);
  }
};

// log(sum of e^x) = m + log(sum of e^(x - m)) with m the largest so far, so that nothing overflows.
template <typename T>
struct LogSumExpFold {
  struct State {
    double largest;
    double sum;
  };

  static State Start() { return {-std::numeric_limits<double>::infinity(), 0}; }
  static void Step(State& state, T x) { Join(state, {static_cast<double>(x), 1}); }
  static void Join(State& state, State other) {
    if (other.sum == 0) return;
    if (state.largest == other.largest) {  // also of infinities, whose difference is no number
      state.sum += other.sum;
    } else if (other.largest < state.largest) {
      state.sum += other.sum * std::exp(other.largest - state.largest);
    } else {
      state.sum = state.sum * std::exp(state.largest - other.largest) + other.sum;
      state.largest = other.largest;
    }
  }
  static T Finish(State state, int64_t) {
    return Convert<T>(state.sum == 0 ? state.largest : state.largest + std::log(state.sum));
  }
};

}  // namespace stillwave::kernels
