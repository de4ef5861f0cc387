#include "client/trace_canvas.h"

#include <algorithm>

#include "server/base/check.h"

namespace stillwave::client {
namespace {

// Unicode's order of the dots, from the top, of the left and of the right half.
constexpr uint8_t kBrailleDots[2][4] = {{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}};
constexpr int kAsciiThirds = 3;

std::string BrailleCharacter(uint8_t dots) {
  if (dots == 0) return " ";
  // U+2800 and the dots as UTF-8.
  return {'\xe2', static_cast<char>(0xa0 | (dots >> 6)), static_cast<char>(0x80 | (dots & 0x3f))};
}

// By the thirds that a bar crosses, the top one in the lowest bit.
char AsciiCharacter(uint8_t thirds) {
  switch (thirds) {
    case 0:
      return ' ';
    case 1:
      return '\'';
    case 2:
      return '-';
    case 4:
      return '.';
    default:
      return '|';
  }
}

}  // namespace

TraceCanvas::TraceCanvas(int columns, int rows, bool braille)
    : columns_(columns),
      rows_(rows),
      braille_(braille),
      steps_per_row_(braille ? 4 : kAsciiThirds),
      marks_(static_cast<size_t>(columns) * static_cast<size_t>(rows)) {
  SW_CHECK(columns > 0 && rows > 0);
}

int TraceCanvas::Step(double part) const {
  const int steps = rows_ * steps_per_row_;
  return std::clamp(static_cast<int>((1 - std::clamp(part, 0.0, 1.0)) * steps), 0, steps - 1);
}

void TraceCanvas::Bar(int x, double low, double high) {
  SW_CHECK(x >= 0 && x < columns_ * BarsPerColumn(braille_));
  const int bars = BarsPerColumn(braille_);
  for (int step = Step(high); step <= Step(low); ++step) {
    const int cell = step / steps_per_row_ * columns_ + x / bars;
    const int inside = step % steps_per_row_;
    marks_[static_cast<size_t>(cell)] |= braille_ ? kBrailleDots[x % bars][inside] : static_cast<uint8_t>(1 << inside);
  }
}

std::vector<std::string> TraceCanvas::Lines() const {
  std::vector<std::string> lines(static_cast<size_t>(rows_));
  for (size_t cell = 0; cell < marks_.size(); ++cell) {
    std::string& line = lines[cell / static_cast<size_t>(columns_)];
    if (braille_) {
      line += BrailleCharacter(marks_[cell]);
    } else {
      line += AsciiCharacter(marks_[cell]);
    }
  }
  return lines;
}

}  // namespace stillwave::client
