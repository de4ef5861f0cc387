#include "client/progress.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace stillwave::client {
namespace {

constexpr int kBarCells = 20;
constexpr absl::Duration kDrawInterval = absl::Milliseconds(100);

// "1:02:03", "2:03".
std::string ClockText(absl::Duration duration) {
  const int64_t seconds = absl::ToInt64Seconds(absl::Ceil(duration, absl::Seconds(1)));
  if (seconds >= 3600) return absl::StrFormat("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  return absl::StrFormat("%d:%02d", seconds / 60, seconds % 60);
}

// "  12.5 × real time".
std::string RealTimeText(const Progress& progress) {
  const double seconds = absl::ToDoubleSeconds(progress.elapsed);
  if (!(progress.sample_rate_hz > 0) || !(seconds > 0)) return "";
  return absl::StrFormat("  %.3g × real time",
                         static_cast<double>(progress.samples_sent) / progress.sample_rate_hz / seconds);
}

double Share(int64_t part, int64_t whole) {
  return whole <= 0 ? 1 : std::clamp(static_cast<double>(part) / static_cast<double>(whole), 0.0, 1.0);
}

}  // namespace

std::string ProgressText(const Progress& progress) {
  const double seconds = absl::ToDoubleSeconds(progress.elapsed);
  const double rate = seconds > 0 ? static_cast<double>(progress.windows) / seconds : 0;
  if (!progress.total_samples.has_value()) {
    return absl::StrFormat("%d samples  %d windows  %.0f/s%s", progress.samples_sent, progress.windows, rate,
                           RealTimeText(progress));
  }
  // What is answered counts, not what lies in buffers on the way.
  const double share = progress.expected_windows.has_value() ? Share(progress.windows, *progress.expected_windows)
                                                             : Share(progress.samples_sent, *progress.total_samples);
  const int filled = static_cast<int>(share * kBarCells);
  std::string text = absl::StrFormat(
      "[%s%s] %3.0f %%  %d of %d samples  %d windows  %.0f/s%s", std::string(static_cast<size_t>(filled), '#'),
      std::string(static_cast<size_t>(kBarCells - filled), '-'), std::min(share * 100, 100.0), progress.samples_sent,
      *progress.total_samples, progress.windows, rate, RealTimeText(progress));
  if (share > 0) absl::StrAppend(&text, "  ETA ", ClockText(progress.elapsed * ((1 - share) / share)));
  return text;
}

void ProgressLine::Draw(const Progress& progress, absl::Time now) {
  if (enabled_ && now >= next_draw_) Draw(ProgressText(progress), now);
}

void ProgressLine::Draw(const std::string& text, absl::Time now) {
  if (!enabled_ || now < next_draw_) return;
  next_draw_ = now + kDrawInterval;
  std::fprintf(stderr, "\r%s\x1b[K", text.c_str());
  drawn_ = true;
}

void ProgressLine::Clear() {
  if (!drawn_) return;
  std::fputs("\r\x1b[K", stderr);
  drawn_ = false;
}

}  // namespace stillwave::client
