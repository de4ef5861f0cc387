// How long a model's work takes, learned from what it took.
#pragma once

#include <cmath>
#include <cstdint>

#include "absl/time/time.h"

namespace stillwave::batching {

// Work is counted in elements of the inputs: in a convolutional network time grows with them, whatever the split into
// samples and time steps. Nothing is known until the first observation. Not thread-safe.
class ComputeEstimate {
 public:
  static constexpr int kEnough = 3;

  // `elements` were computed in `duration`, summed over all workers that took part. REQUIRES: elements > 0.
  void Observe(int64_t elements, absl::Duration duration);

  bool known() const { return mean_ > 0; }
  // What is likely: by a mean that forgets old observations. Zero while nothing is known.
  absl::Duration Expected(int64_t elements) const { return Time(mean_, elements); }
  // What it will hardly take less than: by the fastest of late. Zero until there were enough observations for that: the
  // first may have compiled a plan.
  absl::Duration AtLeast(int64_t elements) const {
    return observations_ < kEnough ? absl::ZeroDuration() : Time(least_, elements);
  }
  // Elements that are computed in about `duration`; at least 1. The largest number while nothing is known.
  int64_t ElementsIn(absl::Duration duration) const;

 private:
  // By way of whole nanoseconds: Abseil's arithmetic with fractions costs more than all else that is done under the
  // scheduler's lock.
  static absl::Duration Time(double rate, int64_t elements) {
    return absl::Nanoseconds(std::llround(rate * static_cast<double>(elements)));
  }

  double mean_ = 0;       // nanoseconds an element
  double least_ = 0;      // the same
  int observations_ = 0;  // counts to kEnough
};

}  // namespace stillwave::batching
