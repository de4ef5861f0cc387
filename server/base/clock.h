// The time as the rest of the server sees it; a test steps a fake one.
#pragma once

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace stillwave::base {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
};

class RealClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }

  // The one that production code uses; never destroyed.
  static const RealClock& Get() {
    static const RealClock* const clock = new RealClock();
    return *clock;
  }
};

}  // namespace stillwave::base
