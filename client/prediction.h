// The class that an output names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "client/result_row.h"

namespace stillwave::client {

struct Prediction {
  int64_t class_index = 0;
  std::string label;                  // the label given for the class, else its index
  std::optional<double> probability;  // when the output is a distribution, or was made one by softmax
};

// The largest value's class, the first one when several are equal; of the first output that is a vector of at least
// two values. Nothing when there is none, or when it holds a NaN. REQUIRES: CheckLabels(row, labels) is OK.
std::optional<Prediction> Predict(const ResultRow& row, const std::vector<std::string>& labels, bool softmax);

// Usage error when labels were given and do not match the classes.
absl::Status CheckLabels(const ResultRow& row, const std::vector<std::string>& labels);

// exp(x_i - max) / sum; the same length.
std::vector<double> Softmax(absl::Span<const double> logits);

}  // namespace stillwave::client
