#include <charconv>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/prediction.h"
#include "client/prediction_writer.h"

namespace stillwave::client {
namespace {

std::string CsvField(absl::string_view text) {
  if (text.find_first_of(",\"\r\n") == absl::string_view::npos) return std::string(text);
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

class CsvWriter final : public PredictionWriter {
 public:
  explicit CsvWriter(ResultFormat format) : format_(std::move(format)) {}

  absl::StatusOr<std::string> Begin(const ResultRow& first) override {
    std::vector<std::string> names = {"window", "first_sample", "last_sample"};
    if (format_.sample_rate_hz > 0) names.insert(names.end(), {"start_seconds", "end_seconds"});
    const auto prediction = Predict(first, format_.labels, format_.softmax);
    has_class_ = prediction.has_value();
    has_probability_ = has_class_ && prediction->probability.has_value();
    if (has_class_) names.emplace_back("class");
    if (has_class_ && !format_.labels.empty()) names.emplace_back("label");
    if (has_probability_) names.emplace_back("probability");
    for (const OutputValues& output : first.outputs) {
      for (size_t i = 0; i < output.values.size(); ++i) {
        names.push_back(CsvField(output.values.size() == 1 ? output.name : absl::StrCat(output.name, "_", i)));
      }
    }
    columns_ = names.size();
    return absl::StrJoin(names, ",") + "\n";
  }

  absl::StatusOr<std::string> Row(const ResultRow& row) override {
    const SampleRange samples = row.samples.value_or(SampleRange{});
    std::vector<std::string> cells = {absl::StrCat(row.index), absl::StrCat(samples.first), absl::StrCat(samples.last)};
    if (format_.sample_rate_hz > 0) {
      for (const int64_t sample : {samples.first, samples.last + 1}) {
        cells.push_back(absl::StrFormat("%.12g", static_cast<double>(sample) / format_.sample_rate_hz));
      }
    }
    // Nothing for a row whose scores are NaN.
    const auto prediction = Predict(row, format_.labels, format_.softmax);
    if (has_class_) cells.push_back(prediction.has_value() ? absl::StrCat(prediction->class_index) : "");
    if (has_class_ && !format_.labels.empty()) {
      cells.push_back(prediction.has_value() ? CsvField(prediction->label) : "");
    }
    if (has_probability_) {
      const bool known = prediction.has_value() && prediction->probability.has_value();
      cells.push_back(known ? ShortestFloat(static_cast<float>(*prediction->probability)) : "");
    }
    for (const OutputValues& output : row.outputs) {
      for (const double value : output.values) cells.push_back(ShortestFloat(static_cast<float>(value)));
    }
    if (cells.size() != columns_) {
      return absl::InternalError(absl::StrCat("window ", row.index, " has other outputs than the first one"));
    }
    return absl::StrJoin(cells, ",") + "\n";
  }

  std::string BeginOf(int64_t) const override { return ""; }

 private:
  const ResultFormat format_;
  bool has_class_ = false;
  bool has_probability_ = false;
  size_t columns_ = 0;
};

}  // namespace

std::string ShortestFloat(float value) {
  char digits[32];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof(digits), value);
  return std::string(digits, end.ptr);
}

std::unique_ptr<PredictionWriter> MakeCsvWriter(ResultFormat format) {
  return std::make_unique<CsvWriter>(std::move(format));
}

}  // namespace stillwave::client
