#include "tests/benchmark/sampling.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "server/base/status_macros.h"
#include "tests/benchmark/stopwatch.h"

namespace stillwave::benchmark {
namespace {

// A reading of the CPU clock is a system call: this long, it is no part of the result.
constexpr double kShortestReadingUs = 100;
constexpr size_t kFewestReadings = 3;

absl::Status RunTimes(int64_t times, absl::FunctionRef<absl::Status()> action) {
  for (int64_t i = 0; i < times; ++i) RETURN_IF_ERROR(action());
  return absl::OkStatus();
}

// The runs that fill a reading, found while warming up.
absl::StatusOr<int64_t> WarmUp(double microseconds, absl::FunctionRef<absl::Status()> action) {
  const double start = WallMicroseconds();
  double shortest = INFINITY;
  do {
    const double before = WallMicroseconds();
    RETURN_IF_ERROR(action());
    shortest = std::min(shortest, WallMicroseconds() - before);
  } while (WallMicroseconds() - start < microseconds);
  return std::max<int64_t>(1, static_cast<int64_t>(std::ceil(kShortestReadingUs / std::max(shortest, 0.01))));
}

}  // namespace

absl::StatusOr<Timing> SampleRuns(double seconds, absl::FunctionRef<absl::Status()> action) {
  const double microseconds = seconds * 1e6;
  ASSIGN_OR_RETURN(const int64_t times, WarmUp(microseconds / 10, action));
  std::vector<double> wall;
  std::vector<double> cpu;
  const double end = WallMicroseconds() + microseconds;
  do {
    const Instant before = Now();
    RETURN_IF_ERROR(RunTimes(times, action));
    const Instant after = Now();
    wall.push_back((after.wall_us - before.wall_us) / static_cast<double>(times));
    cpu.push_back((after.cpu_us - before.cpu_us) / static_cast<double>(times));
  } while (wall.size() < kFewestReadings || WallMicroseconds() < end);
  const auto runs = static_cast<int64_t>(wall.size()) * times;
  return Timing{Summarize(std::move(wall)), Summarize(std::move(cpu)), runs};
}

}  // namespace stillwave::benchmark
