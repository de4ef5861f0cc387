// What a stream came to.
#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace stillwave::client {

struct StreamSummary {
  int64_t windows = 0;  // results received
  int64_t gaps = 0;
  int64_t samples_sent = 0;
  int64_t bytes_sent = 0;       // of samples, without the protocol's own
  int64_t partial_samples = 0;  // after the last window, dropped or padded
  absl::Duration elapsed;       // from the first sample sent to the last answer
  double sample_rate_hz = 0;    // 0: unknown
  int64_t resumed = 0;          // calls that took over from one that broke
  bool interrupted = false;

  double windows_per_second() const { return PerSecond(windows); }
  double samples_per_second() const { return PerSecond(samples_sent); }
  // Seconds of the series in a second; 0 when its rate is unknown.
  double real_time_factor() const { return sample_rate_hz > 0 ? samples_per_second() / sample_rate_hz : 0; }

 private:
  double PerSecond(int64_t count) const {
    const double seconds = absl::ToDoubleSeconds(elapsed);
    return seconds > 0 ? static_cast<double>(count) / seconds : 0;
  }
};

}  // namespace stillwave::client
