// Result rows as the lines of a table.
#pragma once

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "client/result_row.h"
#include "client/table.h"

namespace stillwave::client {

// How results are shown, alike for `infer` and `stream`.
struct ResultFormat {
  std::vector<std::string> labels;  // by class; empty: classes are numbers
  bool softmax = false;             // outputs are logits: show the class's softmax probability
  double sample_rate_hz = 0;        // 0: no times
};

// Lays out rows that have the same outputs as the first one. Not thread-safe.
class ResultTable {
 public:
  // REQUIRES: CheckLabels(first_row, format.labels) is OK.
  ResultTable(ResultFormat format, const ResultRow& first_row);

  // Widens the columns for a row that will be printed.
  void Fit(const ResultRow& row) { layout_.Fit(Cells(row)); }
  std::string HeaderLine() const { return layout_.HeaderLine(); }
  std::string Line(const ResultRow& row) { return layout_.Line(Cells(row)); }

 private:
  std::vector<std::string> Cells(const ResultRow& row) const;

  ResultFormat format_;
  bool has_samples_;
  bool has_prediction_;
  bool has_probability_;
  TableLayout layout_;
};

// "0.25 -3 1e+10": up to 8 values with 4 digits; of more, the first 4, "…", the last one and how many there are.
std::string AbbreviateValues(absl::Span<const double> values);

}  // namespace stillwave::client
