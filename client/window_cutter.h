// Cuts windows from a series that is there as a whole.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace stillwave::client {

// `count` windows of `length` samples; window i begins at sample first + i * hop.
struct WindowCut {
  int64_t length = 0;
  int64_t hop = 0;
  int64_t first = 0;
  int64_t count = 1;

  int64_t start(int64_t window) const { return first + window * hop; }
  int64_t last_sample(int64_t window) const { return start(window) + length - 1; }
};

// Usage error, with what would fit, when a number is not positive (first: negative) or the last window ends behind
// the series of `samples`.
absl::Status CheckWindowCut(const WindowCut& cut, int64_t samples);

// {S, C} -> {N, C, T}: N = cut.count windows of T = cut.length samples. REQUIRES: CheckWindowCut is OK for the
// series, which has a whole number of samples.
std::vector<float> CutWindows(absl::Span<const float> series, int64_t channels, const WindowCut& cut);

}  // namespace stillwave::client
