#include "client/plot_screen.h"

#include "absl/strings/str_cat.h"
#include "client/output.h"

namespace stillwave::client {
namespace {

constexpr absl::Duration kPlotInterval = absl::Milliseconds(100);

}  // namespace

void PlotScreen::Draw(const std::vector<std::string>& lines, absl::Time now) {
  next_draw_ = now + kPlotInterval;
  std::string text;
  if (interactive_ && drawn_lines_ > 0) absl::StrAppend(&text, "\x1b[", drawn_lines_, "A");
  for (const std::string& line : lines) absl::StrAppend(&text, line, interactive_ ? "\x1b[K\n" : "\n");
  // Lines that the frame before had below these.
  if (interactive_ && drawn_lines_ > lines.size()) text += "\x1b[J";
  drawn_lines_ = lines.size();
  WriteOut(text);
}

}  // namespace stillwave::client
