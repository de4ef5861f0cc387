#include "client/csv_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/exit_code.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

constexpr size_t kMaxLineBytes = size_t{1} << 20;
constexpr size_t kMaxShownFieldBytes = 40;

char FindSeparator(absl::string_view line) {
  for (const char separator : {';', '\t', ','}) {
    if (absl::StrContains(line, absl::string_view(&separator, 1))) return separator;
  }
  return ' ';
}

absl::string_view Unquoted(absl::string_view field) {
  field = absl::StripAsciiWhitespace(field);
  const bool quoted = field.size() >= 2 && field.front() == '"' && field.back() == '"';
  return quoted ? absl::StripAsciiWhitespace(field.substr(1, field.size() - 2)) : field;
}

std::vector<absl::string_view> SplitFields(absl::string_view line, char separator) {
  std::vector<absl::string_view> fields;
  if (separator == ' ') {
    fields = absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  } else {
    fields = absl::StrSplit(line, separator);
    // "1;2;" has two fields: spreadsheets like to end a line with its separator.
    if (fields.size() > 1 && Unquoted(fields.back()).empty()) fields.pop_back();
  }
  for (absl::string_view& field : fields) field = Unquoted(field);
  return fields;
}

bool IsNumber(absl::string_view field) {
  double value = 0;
  return absl::SimpleAtod(field, &value);
}

bool HasNoNumber(absl::string_view line) {
  for (const absl::string_view field : SplitFields(line, FindSeparator(line))) {
    if (IsNumber(field)) return false;
  }
  return true;
}

}  // namespace

absl::Status CsvParser::AddLine(absl::string_view line) {
  ++line_number_;
  if (line.size() > kMaxLineBytes) {
    return ErrorAt(1, absl::StrCat("a line must be at most ", kMaxLineBytes, " bytes; was ", line.size()));
  }
  constexpr char kByteOrderMark[] = "\xef\xbb\xbf";
  if (line_number_ == 1 && absl::StartsWith(line, kByteOrderMark)) line.remove_prefix(3);
  const absl::string_view trimmed = absl::StripAsciiWhitespace(line);
  if (trimmed.empty() || trimmed.front() == '#') return absl::OkStatus();
  // Not `trimmed`: an empty first field before a tab counts.
  if (columns_ == 0 && !header_.has_value() && HasNoNumber(line)) {
    header_ = std::string(line);
    return absl::OkStatus();
  }
  return AddNumbers(line);
}

absl::Status CsvParser::AddNumbers(absl::string_view line) {
  if (columns_ == 0) RETURN_IF_ERROR(SetUpColumns(line));
  const std::vector<absl::string_view> fields = SplitFields(line, separator_);
  if (static_cast<int64_t>(fields.size()) != columns_) {
    const size_t first_wrong = std::min(fields.size(), static_cast<size_t>(columns_)) + 1;
    return ErrorAt(first_wrong,
                   absl::StrCat("a line must have ", columns_, " values as the first one; has ", fields.size()));
  }
  if (static_cast<int64_t>(values_.size()) > kMaxSampleValues - columns_) {
    return ErrorAt(1, absl::StrCat("more than ", kMaxSampleValues, " values"));
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    ASSIGN_OR_RETURN(const float value, ParseNumber(fields[i], i + 1));
    if (!std::isfinite(value)) ++not_finite_;
    values_.push_back(value);
  }
  return absl::OkStatus();
}

absl::Status CsvParser::SetUpColumns(absl::string_view line) {
  separator_ = FindSeparator(line);
  const size_t count = SplitFields(line, separator_).size();
  if (header_.has_value()) {
    // One column has no separator, so its name may hold spaces.
    const std::vector<absl::string_view> names =
        count == 1 ? std::vector<absl::string_view>{Unquoted(*header_)} : SplitFields(*header_, separator_);
    if (names.size() != count) {
      return ErrorAt(1, absl::StrCat("the line has ", count, " values, the header has ", names.size(), " names"));
    }
    for (const absl::string_view name : names) column_names_.emplace_back(name);
  }
  columns_ = static_cast<int64_t>(count);
  return absl::OkStatus();
}

absl::StatusOr<float> CsvParser::ParseNumber(absl::string_view field, size_t column) const {
  if (field.empty()) return ErrorAt(column, "the value is empty");
  double value = 0;
  if (!absl::SimpleAtod(field, &value)) {
    const absl::string_view hint =
        absl::StrContains(field, ",") ? " (decimals are written with a point: 1.5)" : absl::string_view();
    return ErrorAt(column, absl::StrCat("'", field.substr(0, kMaxShownFieldBytes), "' is not a number", hint));
  }
  // SimpleAtod turns numbers over double's range into infinities; a written "inf" is meant.
  const bool written_digits = absl::ascii_isdigit(static_cast<unsigned char>(field.back())) || field.back() == '.';
  if (written_digits && std::abs(value) > static_cast<double>(std::numeric_limits<float>::max())) {
    return ErrorAt(column, absl::StrCat("'", field.substr(0, kMaxShownFieldBytes), "' does not fit into FP32"));
  }
  return static_cast<float>(value);
}

absl::Status CsvParser::ErrorAt(size_t column, absl::string_view message) const {
  return BadInputError(absl::StrCat(source_, ": line ", line_number_, ", column ", column, ": ", message));
}

std::vector<float> CsvParser::TakeValues() { return std::exchange(values_, {}); }

absl::StatusOr<SampleArray> ParseCsv(absl::string_view text, absl::string_view source) {
  CsvParser parser(source);
  for (const absl::string_view line : absl::StrSplit(text, '\n')) RETURN_IF_ERROR(parser.AddLine(line));
  SampleArray array;
  array.source = std::string(source);
  array.values = parser.TakeValues();
  if (array.values.empty()) return BadInputError(absl::StrCat(source, ": no line of numbers"));
  const int64_t samples = static_cast<int64_t>(array.values.size()) / parser.columns();
  array.shape = parser.columns() == 1 ? std::vector<int64_t>{samples} : std::vector<int64_t>{samples, parser.columns()};
  array.column_names = parser.column_names();
  array.not_finite = parser.not_finite();
  return array;
}

}  // namespace stillwave::client
