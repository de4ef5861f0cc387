#include "client/result_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/prediction.h"
#include "client/text_width.h"

namespace stillwave::client {
namespace {

constexpr size_t kShownValues = 8;
constexpr size_t kShownOfMore = 4;

std::vector<Column> Columns(const ResultRow& row, bool has_prediction, bool has_probability,
                            const ResultFormat& format) {
  std::vector<Column> columns;
  columns.push_back({row.samples.has_value() ? "window" : "row", Align::kRight});
  if (row.samples.has_value()) columns.push_back({"samples", Align::kRight});
  if (row.samples.has_value() && format.sample_rate_hz > 0) columns.push_back({"seconds", Align::kRight});
  if (has_prediction) {
    Column column{format.labels.empty() ? "class" : "label", Align::kLeft};
    for (const std::string& label : format.labels) {
      column.minimum_width = std::max(column.minimum_width, TextWidth(EscapeControlCharacters(label)));
    }
    columns.push_back(std::move(column));
  }
  if (has_probability) columns.push_back({"probability", Align::kRight});
  for (const OutputValues& output : row.outputs) columns.push_back({output.name, Align::kLeft});
  return columns;
}

std::string SecondsText(const SampleRange& samples, double rate_hz) {
  return absl::StrFormat("%.3f..%.3f", static_cast<double>(samples.first) / rate_hz,
                         static_cast<double>(samples.last + 1) / rate_hz);
}

}  // namespace

std::string AbbreviateValues(absl::Span<const double> values) {
  const bool all = values.size() <= kShownValues;
  std::string text;
  for (size_t i = 0; i < (all ? values.size() : kShownOfMore); ++i) {
    absl::StrAppendFormat(&text, "%s%.4g", i == 0 ? "" : " ", values[i]);
  }
  if (!all) absl::StrAppendFormat(&text, " … %.4g (%d values)", values.back(), values.size());
  return text;
}

ResultTable::ResultTable(ResultFormat format, const ResultRow& first_row)
    : format_(std::move(format)),
      has_samples_(first_row.samples.has_value()),
      has_prediction_(Predict(first_row, format_.labels, format_.softmax).has_value()),
      has_probability_(has_prediction_ && Predict(first_row, format_.labels, format_.softmax)->probability.has_value()),
      layout_(Columns(first_row, has_prediction_, has_probability_, format_)) {
  Fit(first_row);
}

std::vector<std::string> ResultTable::Cells(const ResultRow& row) const {
  std::vector<std::string> cells = {absl::StrCat(row.index)};
  if (has_samples_) {
    const SampleRange samples = row.samples.value_or(SampleRange{});
    cells.push_back(absl::StrCat(samples.first, "..", samples.last));
    if (format_.sample_rate_hz > 0) cells.push_back(SecondsText(samples, format_.sample_rate_hz));
  }
  const auto prediction = Predict(row, format_.labels, format_.softmax);
  if (has_prediction_) cells.push_back(prediction.has_value() ? prediction->label : "-");
  if (has_probability_) {
    const bool known = prediction.has_value() && prediction->probability.has_value();
    cells.push_back(known ? absl::StrFormat("%.3f", *prediction->probability) : "-");
  }
  for (const OutputValues& output : row.outputs) cells.push_back(AbbreviateValues(output.values));
  if (row.padded_samples > 0) absl::StrAppend(&cells.back(), "  (", row.padded_samples, " zeros at the end)");
  return cells;
}

}  // namespace stillwave::client
