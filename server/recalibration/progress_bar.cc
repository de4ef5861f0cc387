#include "server/recalibration/progress_bar.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace stillwave::recalibration {
namespace {

constexpr absl::Duration kDrawInterval = absl::Milliseconds(100);
constexpr absl::string_view kEraseToTheEnd = "\x1b[K";

// "1:02:03", "2:03".
std::string ClockText(absl::Duration duration) {
  const int64_t seconds = absl::ToInt64Seconds(absl::Ceil(duration, absl::Seconds(1)));
  if (seconds >= 3600) return absl::StrFormat("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  return absl::StrFormat("%d:%02d", seconds / 60, seconds % 60);
}

}  // namespace

std::string ProgressText(int64_t done, int64_t batches, absl::Duration elapsed) {
  constexpr int64_t kCells = 20;
  const int64_t filled = batches > 0 ? kCells * done / batches : kCells;
  std::string text = absl::StrFormat("[%s%s] %3d %%  %d of %d batches", std::string(static_cast<size_t>(filled), '#'),
                                     std::string(static_cast<size_t>(kCells - filled), '-'),
                                     batches > 0 ? 100 * done / batches : 100, done, batches);
  if (done > 0) absl::StrAppend(&text, "  ETA ", ClockText(elapsed / done * (batches - done)));
  return text;
}

ProgressBar::ProgressBar(std::function<void(absl::string_view)> write, std::function<int()> columns)
    : write_(std::move(write)), columns_(std::move(columns)) {}

void ProgressBar::Draw(int64_t done, int64_t batches, absl::Time now) {
  if (!start_.has_value()) start_ = now;
  if (done == batches) return Clear();
  if (now < next_draw_) return;
  next_draw_ = now + kDrawInterval;
  std::string text = ProgressText(done, batches, now - *start_);
  // A line that wraps would not be drawn over but pushed up, once for each drawing.
  const int columns = columns_();
  if (columns > 0 && text.size() >= static_cast<size_t>(columns)) text.resize(static_cast<size_t>(columns) - 1);
  write_(absl::StrCat("\r", text, kEraseToTheEnd));
  drawn_ = true;
}

void ProgressBar::Clear() {
  if (!drawn_) return;
  write_(absl::StrCat("\r", kEraseToTheEnd));
  drawn_ = false;
}

}  // namespace stillwave::recalibration
