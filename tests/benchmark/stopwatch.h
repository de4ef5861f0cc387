// Two clocks read together. Wall time is what a client waits for; the CPU time of the calling thread is what the work
// costs, and the better judge on a machine that others share.
#pragma once

#include <ctime>

namespace stillwave::benchmark {

struct Instant {
  double wall_us = 0;
  double cpu_us = 0;
};

inline double ReadClock(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) * 1e-3;
}

inline double WallMicroseconds() { return ReadClock(CLOCK_MONOTONIC); }

inline Instant Now() { return {WallMicroseconds(), ReadClock(CLOCK_THREAD_CPUTIME_ID)}; }

}  // namespace stillwave::benchmark
