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
  bool interrupted = false;

  double windows_per_second() const {
    const double seconds = absl::ToDoubleSeconds(elapsed);
    return seconds > 0 ? static_cast<double>(windows) / seconds : 0;
  }
};

}  // namespace stillwave::client
