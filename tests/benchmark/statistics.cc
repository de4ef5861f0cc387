#include "tests/benchmark/statistics.h"

#include <algorithm>
#include <cstddef>

#include "server/base/check.h"

namespace stillwave::benchmark {

Statistics Summarize(std::vector<double> readings) {
  SW_CHECK(!readings.empty());
  std::sort(readings.begin(), readings.end());
  const size_t count = readings.size();
  const double median = (readings[(count - 1) / 2] + readings[count / 2]) / 2;
  return {median, readings[(count - 1) / 10], readings.front()};
}

}  // namespace stillwave::benchmark
