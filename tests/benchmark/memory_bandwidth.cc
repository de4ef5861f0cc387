#include "tests/benchmark/memory_bandwidth.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "tests/benchmark/statistics.h"
#include "tests/benchmark/stopwatch.h"

namespace stillwave::benchmark {
namespace {

// Several sums, so that additions do not wait for each other.
uint64_t Sum(const std::vector<uint64_t>& words) {
  constexpr size_t kSums = 8;
  uint64_t sums[kSums] = {};
  for (size_t i = 0; i + kSums <= words.size(); i += kSums) {
    sums[0] += words[i];
    sums[1] += words[i + 1];
    sums[2] += words[i + 2];
    sums[3] += words[i + 3];
    sums[4] += words[i + 4];
    sums[5] += words[i + 5];
    sums[6] += words[i + 6];
    sums[7] += words[i + 7];
  }
  uint64_t sum = 0;
  for (const uint64_t part : sums) sum += part;
  return sum;
}

}  // namespace

MemoryBandwidth MeasureReadBandwidth(double seconds) {
  constexpr size_t kBytes = size_t{256} << 20;
  const std::vector<uint64_t> words(kBytes / sizeof(uint64_t), 1);
  volatile uint64_t result = 0;
  std::vector<double> readings;
  const double begin = Now().cpu_us;
  do {
    const double before = Now().cpu_us;
    result = Sum(words);
    readings.push_back(static_cast<double>(kBytes) / (Now().cpu_us - before) * 1e-3);
  } while (Now().cpu_us - begin < seconds * 1e6);
  static_cast<void>(result);
  const double best = *std::max_element(readings.begin(), readings.end());
  return {Summarize(std::move(readings)).median, best};
}

}  // namespace stillwave::benchmark
