// A field of characters in which vertical bars make a curve.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stillwave::client {

// With Braille's 2 × 4 dots in each character, or with ASCII's ' - . | alone. Not thread-safe.
class TraceCanvas {
 public:
  // REQUIRES: columns > 0, rows > 0.
  TraceCanvas(int columns, int rows, bool braille);

  // Bars beside each other: two in a column of Braille, else one.
  static int BarsPerColumn(bool braille) { return braille ? 2 : 1; }

  // The bar `x` from `low` to `high`, parts of the height from the bottom; clamped to 0 … 1.
  // REQUIRES: 0 <= x < columns × BarsPerColumn.
  void Bar(int x, double low, double high);

  // From the top; UTF-8, each `columns` wide.
  std::vector<std::string> Lines() const;

 private:
  int Step(double part) const;  // from the top

  const int columns_;
  const int rows_;
  const bool braille_;
  const int steps_per_row_;
  std::vector<uint8_t> marks_;  // rows × columns: dots of Braille, or thirds of a character
};

}  // namespace stillwave::client
