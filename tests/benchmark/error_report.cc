#include "tests/benchmark/error_report.h"

#include "absl/strings/str_format.h"

namespace stillwave::benchmark {

std::string ToText(const std::vector<OutputError>& errors) {
  std::string text;
  for (const OutputError& error : errors) {
    absl::StrAppendFormat(
        &text, "output %s: largest value %.3g, largest error %.2g (%.2g of it), root mean square %.2g", error.name,
        error.largest, error.max_error, error.relative_to_largest(error.max_error), error.rms_error);
    if (error.top1_agreement) absl::StrAppendFormat(&text, ", the same class in %.2f %%", 100 * *error.top1_agreement);
    text += "\n";
  }
  return text;
}

nlohmann::ordered_json ToJson(const std::vector<OutputError>& errors) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const OutputError& error : errors) {
    nlohmann::ordered_json entry = {
        {"name", error.name},           {"largest", error.largest},
        {"max_error", error.max_error}, {"max_relative_error", error.relative_to_largest(error.max_error)},
        {"rms_error", error.rms_error}, {"top1_agreement", nullptr}};
    if (error.top1_agreement) entry["top1_agreement"] = *error.top1_agreement;
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace stillwave::benchmark
