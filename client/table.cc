#include "client/table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "client/text_width.h"
#include "server/base/check.h"

namespace stillwave::client {

TableLayout::TableLayout(std::vector<Column> columns) : columns_(std::move(columns)) {
  for (const Column& column : columns_) {
    widths_.push_back(std::max(column.minimum_width, TextWidth(EscapeControlCharacters(column.title))));
  }
}

void TableLayout::Fit(const std::vector<std::string>& cells) {
  SW_CHECK(cells.size() == columns_.size());
  for (size_t i = 0; i < cells.size(); ++i) {
    widths_[i] = std::max(widths_[i], TextWidth(EscapeControlCharacters(cells[i])));
  }
}

std::string TableLayout::HeaderLine() const {
  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  return Compose(titles);
}

std::string TableLayout::Line(const std::vector<std::string>& cells) {
  Fit(cells);
  return Compose(cells);
}

std::string TableLayout::Compose(const std::vector<std::string>& cells) const {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string cell = EscapeControlCharacters(cells[i]);
    const std::string padding(static_cast<size_t>(std::max(0, widths_[i] - TextWidth(cell))), ' ');
    if (i > 0) line += "  ";
    line += columns_[i].align == Align::kRight ? padding + cell : cell + padding;
  }
  absl::StripTrailingAsciiWhitespace(&line);
  return line + "\n";
}

std::string RenderTable(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows) {
  TableLayout layout(columns);
  for (const auto& row : rows) layout.Fit(row);
  std::string table = layout.HeaderLine();
  for (const auto& row : rows) table += layout.Line(row);
  return table;
}

}  // namespace stillwave::client
