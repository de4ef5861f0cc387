// When the requests of an open loop are due.
#pragma once

#include <cstdint>
#include <random>

#include "absl/time/time.h"

namespace stillwave::client::bench {

enum class Arrivals {
  kPoisson,   // independent of each other, as those of many users are
  kConstant,  // in equal distances
};

// The same arguments give the same times on every machine. Not thread-safe.
class ArrivalSchedule {
 public:
  // `phase`: of kConstant, the first arrival in parts of a distance, so that several schedules interleave.
  // REQUIRES: rate > 0 (per second), 0 <= phase < 1.
  ArrivalSchedule(Arrivals arrivals, double rate, uint64_t seed, double phase = 0);

  // The next arrival, from the schedule's start on; never earlier than the one before.
  absl::Duration Next();

 private:
  double Exponential();

  const Arrivals arrivals_;
  const double rate_;
  const double phase_;
  std::mt19937_64 random_;
  double seconds_ = 0;  // kPoisson: of the last arrival
  int64_t count_ = 0;   // kConstant: counted, because a sum of distances would drift
};

}  // namespace stillwave::client::bench
