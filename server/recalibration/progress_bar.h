// How far a recalibration is, redrawn in place on a terminal.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace stillwave::recalibration {

// "[#####---------------]  25 %  5 of 20 batches  ETA 0:15"; without the ETA before the first batch is done.
std::string ProgressText(int64_t done, int64_t batches, absl::Duration elapsed);

// One line, drawn at most ten times a second: a terminal far away takes longer for a line than a small batch does. Not
// thread-safe.
class ProgressBar {
 public:
  // `write` is the terminal; `columns` is asked before each drawing, because windows change: 0 if nobody knows.
  ProgressBar(std::function<void(absl::string_view)> write, std::function<int()> columns);

  // Time counts from the first call. Takes the line away when all is done.
  void Draw(int64_t done, int64_t batches, absl::Time now);
  // Takes the line away, for other text to be written.
  void Clear();

 private:
  const std::function<void(absl::string_view)> write_;
  const std::function<int()> columns_;
  std::optional<absl::Time> start_;
  absl::Time next_draw_ = absl::InfinitePast();
  bool drawn_ = false;
};

}  // namespace stillwave::recalibration
