#include "client/option_kinds.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/exit_code.h"

namespace stillwave::client {

CLI::Validator CountRange(int64_t minimum, int64_t maximum) {
  const auto check = [minimum, maximum](const std::string& text) -> std::string {
    int64_t value = 0;
    if (absl::SimpleAtoi(text, &value) && value >= minimum && value <= maximum) return "";
    return absl::StrCat("must be a whole number from ", minimum, " to ", maximum, "; was ", text);
  };
  return {check, maximum == kMaxIndex ? "" : absl::StrCat("from ", minimum, " to ", maximum)};
}

CLI::Validator SecondsRange(double minimum, double maximum) {
  const auto check = [minimum, maximum](const std::string& text) -> std::string {
    double value = 0;
    if (absl::SimpleAtod(text, &value) && value >= minimum && value <= maximum) return "";
    return absl::StrCat("must be seconds from ", minimum, " to ", maximum, "; was ", text);
  };
  return {check, absl::StrCat("from ", minimum, " to ", maximum)};
}

CLI::Option* AddCount(CLI::App* app, const std::string& name, int64_t& value, int64_t minimum, int64_t maximum,
                      const std::string& help) {
  return app->add_option(name, value, help)->check(CountRange(minimum, maximum))->type_name("N");
}

CLI::Option* AddCount(CLI::App* app, const std::string& name, std::optional<int64_t>& value, int64_t minimum,
                      int64_t maximum, const std::string& help) {
  return app->add_option(name, value, help)->check(CountRange(minimum, maximum))->type_name("N");
}

absl::StatusOr<std::vector<std::string>> SplitList(absl::string_view option, absl::string_view text) {
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    parts.emplace_back(absl::StripAsciiWhitespace(part));
    if (parts.back().empty()) return UsageError(absl::StrCat(option, " has an empty entry: '", text, "'"));
  }
  return parts;
}

}  // namespace stillwave::client
