// The progress of what takes long, redrawn in place on standard error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace stillwave::client {

struct Progress {
  int64_t samples_sent = 0;
  std::optional<int64_t> total_samples;  // nothing: a live source
  int64_t windows = 0;
  std::optional<int64_t> expected_windows;
  absl::Duration elapsed;
  double sample_rate_hz = 0;  // 0: unknown
};

// "[######--------------]  30 %  32400 of 108000 samples  359 windows  812/s  203 × real time  ETA 0:12"; without the
// bar, the share and the ETA when the total is unknown, without the factor when the rate is.
std::string ProgressText(const Progress& progress);

// One line on a terminal, drawn at most ten times a second. Not thread-safe.
class ProgressLine {
 public:
  // `enabled` false: does nothing.
  explicit ProgressLine(bool enabled) : enabled_(enabled) {}
  ~ProgressLine() { Clear(); }

  void Draw(const Progress& progress, absl::Time now);
  // Text of another kind; without control characters.
  void Draw(const std::string& text, absl::Time now);
  // Takes the line away, for other text to be written.
  void Clear();

 private:
  bool enabled_;
  bool drawn_ = false;
  absl::Time next_draw_ = absl::InfinitePast();
};

}  // namespace stillwave::client
