// Mean and variance of a run of floats.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace stillwave::kernels {

struct Moments {
  double mean = 0;
  double variance = 0;  // divided by the count

  // What a value's distance from the mean is multiplied by.
  float Scale(float epsilon) const {
    return static_cast<float>(1 / std::sqrt(variance + static_cast<double>(epsilon)));
  }
};

// The sum of function(x[i]) in double, in lanes that a compiler turns into vector registers. Its bits depend on the run
// alone.
template <typename Function>
double SumInLanes(const float* x, int64_t count, Function function) {
  constexpr int64_t kLanes = 8;
  std::array<double, kLanes> lanes{};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      lanes[static_cast<size_t>(lane)] += function(static_cast<double>(x[i + lane]));
    }
  }
  for (size_t lane = 0; i < count; ++i, ++lane) lanes[lane] += function(static_cast<double>(x[i]));
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

// In two passes: the difference of two large sums would lose the variance of a signal far from 0. REQUIRES: count > 0.
inline Moments MomentsOf(const float* x, int64_t count) {
  const auto n = static_cast<double>(count);
  Moments moments;
  moments.mean = SumInLanes(x, count, [](double value) { return value; }) / n;
  const double mean = moments.mean;
  moments.variance = SumInLanes(x, count, [mean](double value) { return (value - mean) * (value - mean); }) / n;
  return moments;
}

}  // namespace stillwave::kernels
