// From a series of samples to windows.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "server/streaming/chunk_view.h"

namespace stillwave::streaming {

// What is said of a window beside its values.
struct WindowInfo {
  int64_t index = 0;         // counts up in a series
  int64_t first_sample = 0;  // both inclusive
  int64_t last_sample = 0;   // of a padded window: its last real sample
  int64_t padded_samples = 0;
  int64_t covered_samples = 0;  // of its first samples, those that the window before it covers too
};

// Forms windows of `length` samples that start `hop` samples apart; hop may be smaller than, equal to or larger than
// length (then the samples between are skipped). Holds one window, whatever hop and chunk sizes are; each sample is
// copied in once, and each window out once. Not thread-safe.
//
//   while (from < chunk.samples) {
//     from += window.Feed(chunk, from);
//     if (window.complete()) use(window.Take(buffer));
//   }
class SlidingWindow {
 public:
  struct Options {
    int64_t length = 1;    // positive
    int64_t hop = 1;       // positive
    int64_t channels = 1;  // positive
    int64_t first_sample_index = 0;
    // Above 0 the series goes on behind a window of another call, which began a hop before first_sample_index. Not
    // negative.
    int64_t first_window_index = 0;
  };

  // Indices of samples and windows outside of ±kMaxSampleIndex are refused upstream, so that no sum of them overflows.
  static constexpr int64_t kMaxSampleIndex = int64_t{1} << 61;

  static constexpr int64_t kMaxHop = int64_t{1} << 40;

  // REQUIRES: as the fields' comments say; length × channels fits into memory; hop <= kMaxHop.
  explicit SlidingWindow(const Options& options);

  // Takes samples [from, …) of the chunk until a window is complete or the chunk ends; says how many it took.
  // REQUIRES: !complete() and chunk.channels == channels.
  int64_t Feed(const ChunkView& chunk, int64_t from);

  // A window waits to be taken.
  bool complete() const { return filled_ == options_.length; }

  // As many windows can be taken before and while so many more samples are fed. REQUIRES: complete(), samples >= 0.
  int64_t WindowsWith(int64_t samples) const { return 1 + samples / options_.hop; }

  // Writes the window, [C][L], and moves on by hop. REQUIRES: complete() and out.size() == length × channels.
  WindowInfo Take(absl::Span<float> out);

  // The samples that were fed and that no window taken so far covers (the skipped ones of hop > length left out).
  int64_t uncovered_samples() const { return filled_ > covered_ ? filled_ - covered_ : 0; }

  // The series goes on at `index`, behind a gap: the window restarts there, and what it held is discarded; says how
  // many samples that no result covers. REQUIRES: index > next_sample() and !complete().
  int64_t Restart(int64_t index);

  // The last, incomplete window, filled up with zeros. REQUIRES: uncovered_samples() > 0 and !complete().
  WindowInfo TakePadded(absl::Span<float> out);

  // The index that the next sample has unless there is a gap.
  int64_t next_sample() const { return next_sample_; }
  // Taken so far.
  int64_t windows() const { return windows_; }
  int64_t samples() const { return samples_; }
  const Options& options() const { return options_; }

 private:
  void CopyIn(const ChunkView& chunk, int64_t from, int64_t count);
  // What is filled, and zeros behind it.
  void CopyOut(absl::Span<float> out) const;
  WindowInfo TakeFilled(absl::Span<float> out);

  const Options options_;
  std::vector<float> ring_;   // [C][length]; the window's first sample lies at ring_start_ of each row
  int64_t ring_start_ = 0;    // 0 .. length - 1
  int64_t filled_ = 0;        // samples of the window that are there
  int64_t skip_ = 0;          // samples to pass over before the window starts (hop > length)
  int64_t covered_ = 0;       // of the window's first samples, those that an earlier one covers
  int64_t window_start_ = 0;  // index of the window's first sample
  int64_t next_sample_ = 0;
  int64_t windows_ = 0;
  int64_t samples_ = 0;
};

}  // namespace stillwave::streaming
