// Lines that are drawn over themselves on a terminal, or printed once at the end elsewhere.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"

namespace stillwave::client {

// On standard output. Not thread-safe.
class PlotScreen {
 public:
  explicit PlotScreen(bool interactive) : interactive_(interactive) {}

  // Whether it is time to draw again: ten times a second, on a terminal only.
  bool IsDue(absl::Time now) const { return interactive_ && now >= next_draw_; }
  // Draws over what was drawn last.
  void Draw(const std::vector<std::string>& lines, absl::Time now);
  // Leaves what is drawn where it is: other text follows.
  void Release() { drawn_lines_ = 0; }

 private:
  const bool interactive_;
  absl::Time next_draw_ = absl::InfinitePast();
  size_t drawn_lines_ = 0;
};

}  // namespace stillwave::client
