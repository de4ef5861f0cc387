#include "tests/benchmark/fma_peak.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "tests/benchmark/stopwatch.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace stillwave::benchmark {
namespace {

// An FMA takes 4 or 5 cycles and two start in each: 10 chains at least are needed, and 12 with two constants still fit
// into 16 registers.
constexpr size_t kChains = 12;
using Chains = std::make_index_sequence<kChains>;

// Each chain tends to 1, so nothing overflows or becomes denormal: x = x * 0.5 + 0.5. Chains begin with different
// values: of equal ones the compiler would keep one.
constexpr float kFactor = 0.5F;
constexpr float kSummand = 0.5F;

#ifdef __x86_64__
// The fold spells out one instruction a chain, so that a loop does not stand between them.
template <size_t... I>
__attribute__((target("avx512f"))) float RunAvx512(int64_t rounds, float start, std::index_sequence<I...>) {
  const __m512 factor = _mm512_set1_ps(kFactor);
  const __m512 summand = _mm512_set1_ps(kSummand);
  __m512 chains[kChains] = {_mm512_set1_ps(start + static_cast<float>(I))...};
  for (int64_t round = 0; round < rounds; ++round) {
    ((chains[I] = _mm512_fmadd_ps(chains[I], factor, summand)), ...);
  }
  alignas(64) float lanes[16];
  float sum = 0;
  ((_mm512_store_ps(lanes, chains[I]), sum += lanes[I]), ...);
  return sum;
}

template <size_t... I>
__attribute__((target("avx2,fma"))) float RunAvx2(int64_t rounds, float start, std::index_sequence<I...>) {
  const __m256 factor = _mm256_set1_ps(kFactor);
  const __m256 summand = _mm256_set1_ps(kSummand);
  __m256 chains[kChains] = {_mm256_set1_ps(start + static_cast<float>(I))...};
  for (int64_t round = 0; round < rounds; ++round) {
    ((chains[I] = _mm256_fmadd_ps(chains[I], factor, summand)), ...);
  }
  alignas(32) float lanes[8];
  float sum = 0;
  ((_mm256_store_ps(lanes, chains[I]), sum += lanes[I % 8]), ...);
  return sum;
}

template <size_t... I>
float RunSse2(int64_t rounds, float start, std::index_sequence<I...>) {
  const __m128 factor = _mm_set1_ps(kFactor);
  const __m128 summand = _mm_set1_ps(kSummand);
  __m128 chains[kChains] = {_mm_set1_ps(start + static_cast<float>(I))...};
  for (int64_t round = 0; round < rounds; ++round) {
    ((chains[I] = _mm_add_ps(_mm_mul_ps(chains[I], factor), summand)), ...);
  }
  alignas(16) float lanes[4];
  float sum = 0;
  ((_mm_store_ps(lanes, chains[I]), sum += lanes[I % 4]), ...);
  return sum;
}
#else
template <size_t... I>
float RunScalar(int64_t rounds, float start, std::index_sequence<I...>) {
  float chains[kChains] = {start + static_cast<float>(I)...};
  for (int64_t round = 0; round < rounds; ++round) ((chains[I] = __builtin_fmaf(chains[I], kFactor, kSummand)), ...);
  return (chains[I] + ...);
}
#endif

struct Kernel {
  std::string instructions;
  int64_t lanes;
  float (*run)(int64_t rounds, float start, Chains);
};

Kernel WidestKernel() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f")) return {"avx512", 16, &RunAvx512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {"avx2+fma", 8, &RunAvx2};
  return {"sse2", 4, &RunSse2};
#else
  return {"scalar", 1, &RunScalar};
#endif
}

}  // namespace

FmaPeak MeasureFmaPeak(double seconds) {
  constexpr int64_t kRounds = 200'000;  // about a millisecond
  const Kernel kernel = WidestKernel();
  const double operations = 2.0 * static_cast<double>(kRounds * kernel.lanes) * kChains;
  volatile float start = 0.25F;  // unknown to the compiler
  volatile float result = 0;
  std::vector<double> readings;
  const double begin = Now().cpu_us;
  do {
    const double before = Now().cpu_us;
    result = kernel.run(kRounds, start, Chains{});
    readings.push_back(operations / (Now().cpu_us - before) * 1e-3);
  } while (Now().cpu_us - begin < seconds * 1e6);
  static_cast<void>(result);
  const double best = *std::max_element(readings.begin(), readings.end());
  return {kernel.instructions, Summarize(std::move(readings)).median, best};
}

}  // namespace stillwave::benchmark
