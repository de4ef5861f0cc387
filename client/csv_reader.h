// Numbers in text columns: .csv, .tsv, and what numpy.savetxt or a shell pipeline writes.
//
// The separator is found in the first line of numbers: semicolon, tab, comma, else spaces (of which several count as
// one). A first line without any number is a header. Empty lines and lines that begin with '#' are passed over, a
// field may be in double quotes. Our own, not libcsv, because that knows one separator and no line and column numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/sample_array.h"

namespace stillwave::client {

// Takes lines one at a time, so that a live source can be sent as it comes. Not thread-safe.
class CsvParser {
 public:
  explicit CsvParser(absl::string_view source) : source_(source) {}

  // `line` without its '\n' (a '\r' may be left). Bad input naming source, line and column (from 1) when a field is not
  // a number, a number does not fit into FP32, or the count of fields changes.
  absl::Status AddLine(absl::string_view line);

  // 0 before the first line of numbers.
  int64_t columns() const { return columns_; }
  const std::vector<std::string>& column_names() const { return column_names_; }
  int64_t not_finite() const { return not_finite_; }

  // The values of the lines since the last call, samples first: {S, columns()}.
  std::vector<float> TakeValues();

 private:
  absl::Status AddNumbers(absl::string_view line);
  absl::Status SetUpColumns(absl::string_view line);
  absl::StatusOr<float> ParseNumber(absl::string_view field, size_t column) const;
  absl::Status ErrorAt(size_t column, absl::string_view message) const;

  std::string source_;
  int64_t line_number_ = 0;
  std::optional<std::string> header_;  // until the separator is known
  char separator_ = '\0';
  int64_t columns_ = 0;
  std::vector<std::string> column_names_;
  std::vector<float> values_;
  int64_t not_finite_ = 0;
};

// A whole file: shape {S} for one column, {S, C} for more.
absl::StatusOr<SampleArray> ParseCsv(absl::string_view text, absl::string_view source);

}  // namespace stillwave::client
