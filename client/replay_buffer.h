// The samples that a broken call has to be told again.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"

namespace stillwave::client {

// Holds the end of a series, up to a bound: with more, the oldest samples go. Thread-safe.
class ReplayBuffer {
 public:
  // Samples are counted from `first_sample`. REQUIRES: channels > 0.
  ReplayBuffer(int64_t first_sample, int64_t channels, int64_t max_values)
      : channels_(channels), max_values_(max_values), begin_(first_sample) {}

  // The samples that follow the last ones, all channels of a sample together.
  void Append(absl::Span<const float> samples) ABSL_LOCKS_EXCLUDED(mutex_);
  // Samples before this one are answered.
  void DropBefore(int64_t sample) ABSL_LOCKS_EXCLUDED(mutex_);

  int64_t begin() const ABSL_LOCKS_EXCLUDED(mutex_);  // index of the first sample that is held
  int64_t end() const ABSL_LOCKS_EXCLUDED(mutex_);    // behind the last one
  // At most `max_samples` samples from `sample` on; empty at the end. REQUIRES: begin() <= sample.
  std::vector<float> From(int64_t sample, int64_t max_samples) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  int64_t End() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return begin_ + static_cast<int64_t>(values_.size()) / channels_;
  }
  void Drop(int64_t samples) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int64_t channels_;
  const int64_t max_values_;
  mutable absl::Mutex mutex_;
  int64_t begin_ ABSL_GUARDED_BY(mutex_);
  std::deque<float> values_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stillwave::client
