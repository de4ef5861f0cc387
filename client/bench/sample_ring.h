// A series without an end, made of the samples that a benchmark has.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "client/bench/load_input.h"

namespace stillwave::client::bench {

// All series of a load read from the same memory. Immutable.
class SampleRing {
 public:
  // For pieces of at most `longest` samples. REQUIRES: longest > 0.
  SampleRing(const SeriesSamples& samples, int64_t longest) : channels_(samples.channels) {
    values_ = samples.first;
    for (const std::vector<float>& piece : samples.next) values_.insert(values_.end(), piece.begin(), piece.end());
    period_ = static_cast<int64_t>(values_.size()) / channels_;
    // Pieces that begin before the end go on with the beginning.
    while (static_cast<int64_t>(values_.size()) < (period_ + longest) * channels_) {
      values_.push_back(values_[values_.size() - static_cast<size_t>(period_ * channels_)]);
    }
  }

  // Samples `at` and following, all channels of a sample together. REQUIRES: at >= 0, count <= longest.
  absl::Span<const float> At(int64_t at, int64_t count) const {
    return {values_.data() + at % period_ * channels_, static_cast<size_t>(count * channels_)};
  }

 private:
  const int64_t channels_;
  int64_t period_ = 0;
  std::vector<float> values_;
};

}  // namespace stillwave::client::bench
