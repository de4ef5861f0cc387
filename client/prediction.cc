#include "client/prediction.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "client/exit_code.h"
#include "server/base/check.h"

namespace stillwave::client {
namespace {

const OutputValues* FindClassScores(const ResultRow& row) {
  for (const OutputValues& output : row.outputs) {
    if (output.shape.size() == 1 && output.values.size() >= 2) return &output;
  }
  return nullptr;
}

bool IsDistribution(absl::Span<const double> values) {
  constexpr double kSumTolerance = 1e-3;
  double sum = 0;
  for (const double value : values) {
    if (!(value >= 0)) return false;
    sum += value;
  }
  return std::abs(sum - 1) <= kSumTolerance;
}

}  // namespace

std::vector<double> Softmax(absl::Span<const double> logits) {
  if (logits.empty()) return {};
  const double max = *std::max_element(logits.begin(), logits.end());
  std::vector<double> probabilities;
  probabilities.reserve(logits.size());
  for (const double logit : logits) probabilities.push_back(std::exp(logit - max));
  const double sum = std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
  for (double& probability : probabilities) probability /= sum;
  return probabilities;
}

std::optional<Prediction> Predict(const ResultRow& row, const std::vector<std::string>& labels, bool softmax) {
  const OutputValues* scores = FindClassScores(row);
  if (scores == nullptr) return std::nullopt;
  const std::vector<double>& values = scores->values;
  if (std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); })) return std::nullopt;
  const size_t best = static_cast<size_t>(std::max_element(values.begin(), values.end()) - values.begin());

  Prediction prediction;
  prediction.class_index = static_cast<int64_t>(best);
  SW_CHECK(labels.empty() || labels.size() == values.size());
  prediction.label = labels.empty() ? absl::StrCat(best) : labels[best];
  if (softmax) {
    prediction.probability = Softmax(values)[best];
  } else if (IsDistribution(values)) {
    prediction.probability = values[best];
  }
  return prediction;
}

absl::Status CheckLabels(const ResultRow& row, const std::vector<std::string>& labels) {
  if (labels.empty()) return absl::OkStatus();
  const OutputValues* scores = FindClassScores(row);
  if (scores == nullptr) return UsageError("--labels needs an output with one value for each class; there is none");
  if (scores->values.size() == labels.size()) return absl::OkStatus();
  return UsageError(absl::StrCat("--labels must name the ", scores->values.size(), " classes of output '", scores->name,
                                 "'; names ", labels.size()));
}

}  // namespace stillwave::client
