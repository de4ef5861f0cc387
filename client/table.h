// Plain text tables in aligned columns.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace stillwave::client {

enum class Align { kLeft, kRight };

struct Column {
  std::string title;
  Align align = Align::kLeft;
  int minimum_width = 0;  // cells
};

// Lays out lines one at a time, so that rows can be printed while later ones are unknown: a column is as wide as the
// widest of its cells so far, its title and its minimum. Not thread-safe.
class TableLayout {
 public:
  explicit TableLayout(std::vector<Column> columns);

  // Widens the columns to fit `cells` without printing.
  void Fit(const std::vector<std::string>& cells);

  // Lines end with '\n' and have no spaces at their end. REQUIRES: one cell for each column.
  std::string HeaderLine() const;
  std::string Line(const std::vector<std::string>& cells);

 private:
  std::string Compose(const std::vector<std::string>& cells) const;

  std::vector<Column> columns_;
  std::vector<int> widths_;
};

// A whole table: header and rows. Cells are escaped (client/text_width.h).
std::string RenderTable(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows);

}  // namespace stillwave::client
