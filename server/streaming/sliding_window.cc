#include "server/streaming/sliding_window.h"

#include <algorithm>
#include <cstddef>

#include "server/base/check.h"

namespace stillwave::streaming {

SlidingWindow::SlidingWindow(const Options& options)
    : options_(options),
      covered_(options.first_window_index > 0 ? std::max(int64_t{0}, options.length - options.hop) : 0),
      window_start_(options.first_sample_index),
      next_sample_(options.first_sample_index) {
  SW_CHECK(options.length > 0 && options.hop > 0 && options.channels > 0 && options.first_window_index >= 0);
  SW_CHECK(options.hop <= kMaxHop);
}

int64_t SlidingWindow::Feed(const ChunkView& chunk, int64_t from) {
  SW_CHECK(!complete() && chunk.channels == options_.channels);
  const int64_t available = chunk.samples - from;
  const int64_t skipped = std::min(skip_, available);
  const int64_t taken = std::min(options_.length - filled_, available - skipped);
  skip_ -= skipped;
  if (taken > 0) CopyIn(chunk, from + skipped, taken);
  filled_ += taken;
  next_sample_ += skipped + taken;
  samples_ += skipped + taken;
  return skipped + taken;
}

void SlidingWindow::CopyIn(const ChunkView& chunk, int64_t from, int64_t count) {
  // With the first sample only, so that a series that is merely open costs nothing.
  if (ring_.empty()) ring_.resize(static_cast<size_t>(options_.length * options_.channels));
  const int64_t length = options_.length;
  const int64_t begin = (ring_start_ + filled_) % length;
  const int64_t until_end = std::min(count, length - begin);
  for (int64_t channel = 0; channel < options_.channels; ++channel) {
    float* row = ring_.data() + channel * length;
    CopyChannel(chunk, channel, from, until_end, row + begin);
    CopyChannel(chunk, channel, from + until_end, count - until_end, row);
  }
}

void SlidingWindow::CopyOut(absl::Span<float> out) const {
  const int64_t length = options_.length;
  SW_CHECK(static_cast<int64_t>(out.size()) == length * options_.channels);
  const int64_t until_end = std::min(filled_, length - ring_start_);
  for (int64_t channel = 0; channel < options_.channels; ++channel) {
    const float* row = ring_.data() + channel * length;
    float* window = out.data() + channel * length;
    std::copy_n(row + ring_start_, until_end, window);
    std::copy_n(row, filled_ - until_end, window + until_end);
    std::fill(window + filled_, window + length, 0.0f);
  }
}

WindowInfo SlidingWindow::Take(absl::Span<float> out) {
  SW_CHECK(complete());
  return TakeFilled(out);
}

WindowInfo SlidingWindow::TakePadded(absl::Span<float> out) {
  SW_CHECK(!complete() && uncovered_samples() > 0);
  return TakeFilled(out);
}

WindowInfo SlidingWindow::TakeFilled(absl::Span<float> out) {
  CopyOut(out);
  const WindowInfo info{options_.first_window_index + windows_, window_start_, window_start_ + filled_ - 1,
                        options_.length - filled_, covered_};
  ++windows_;
  window_start_ += options_.hop;
  const int64_t kept = std::max(int64_t{0}, filled_ - options_.hop);
  skip_ = std::max(int64_t{0}, options_.hop - filled_);
  ring_start_ = kept > 0 ? (ring_start_ + options_.hop) % options_.length : 0;
  filled_ = kept;
  covered_ = kept;
  return info;
}

int64_t SlidingWindow::Restart(int64_t index) {
  SW_CHECK(!complete() && index > next_sample_);
  const int64_t discarded = uncovered_samples();
  ring_start_ = filled_ = covered_ = skip_ = 0;
  window_start_ = next_sample_ = index;
  return discarded;
}

}  // namespace stillwave::streaming
