#include "client/bench/arrival_schedule.h"

#include <cmath>

#include "server/base/check.h"

namespace stillwave::client::bench {

ArrivalSchedule::ArrivalSchedule(Arrivals arrivals, double rate, uint64_t seed, double phase)
    : arrivals_(arrivals), rate_(rate), phase_(phase), random_(seed) {
  SW_CHECK(rate > 0 && phase >= 0 && phase < 1);
}

absl::Duration ArrivalSchedule::Next() {
  if (arrivals_ == Arrivals::kConstant) return absl::Seconds((static_cast<double>(count_++) + phase_) / rate_);
  seconds_ += Exponential() / rate_;
  return absl::Seconds(seconds_);
}

// Mean 1. By hand, because std::exponential_distribution differs between libraries.
double ArrivalSchedule::Exponential() {
  const double uniform = static_cast<double>(random_() >> 11) * 0x1p-53;  // [0, 1)
  return -std::log1p(-uniform);
}

}  // namespace stillwave::client::bench
