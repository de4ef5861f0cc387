// What is reported of many readings of the same thing.
#pragma once

#include <vector>

namespace stillwave::benchmark {

// The minimum is what the work costs undisturbed; p10 the same without the luckiest readings.
struct Statistics {
  double median = 0;
  double p10 = 0;
  double minimum = 0;
};

// REQUIRES: not empty.
Statistics Summarize(std::vector<double> readings);

}  // namespace stillwave::benchmark
