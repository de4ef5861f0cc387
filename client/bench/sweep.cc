#include "client/bench/sweep.h"

#include <cmath>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "client/exit_code.h"
#include "server/base/status_macros.h"

namespace stillwave::client::bench {
namespace {

constexpr int kMaxSteps = 10'000;

// One parse: option and text go into every message.
class SweepParser {
 public:
  SweepParser(absl::string_view option, absl::string_view text, const SweepRange& range)
      : option_(option), text_(text), range_(range) {}

  absl::StatusOr<std::vector<double>> Parse() const {
    if (text_.find(':') != absl::string_view::npos) return ParseProgression();
    std::vector<double> values;
    for (const absl::string_view part : absl::StrSplit(text_, ',')) {
      ASSIGN_OR_RETURN(const double value, ParseValue(part));
      values.push_back(value);
      if (values.size() > kMaxSweepValues) return TooMany();
    }
    return values;
  }

 private:
  absl::StatusOr<std::vector<double>> ParseProgression() const {
    const std::vector<absl::string_view> parts = absl::StrSplit(text_, ':');
    if (parts.size() != 3 || parts[2].empty() || (parts[2][0] != 'x' && parts[2][0] != '+')) {
      return Refuse("must be N, a list N,N,… or FIRST:LAST:xFACTOR or FIRST:LAST:+STEP");
    }
    ASSIGN_OR_RETURN(const double first, ParseValue(parts[0]));
    ASSIGN_OR_RETURN(const double last, ParseValue(parts[1]));
    if (last < first) return Refuse("must not end before it begins");
    const bool multiplies = parts[2][0] == 'x';
    double step = 0;
    if (!absl::SimpleAtod(parts[2].substr(1), &step) || !std::isfinite(step) || step <= (multiplies ? 1 : 0)) {
      return Refuse(multiplies ? "must have a factor above 1" : "must have a step above 0");
    }
    return Progression(first, last, multiplies, step);
  }

  absl::StatusOr<std::vector<double>> Progression(double first, double last, bool multiplies, double step) const {
    // A little more than `last`, so that 0.1 + 0.1 + 0.1 still reaches 0.3.
    const double end = last * (1 + 1e-9);
    std::vector<double> values;
    int steps = 0;  // a tiny step may add nothing at all
    for (double exact = first; exact <= end; exact = multiplies ? exact * step : exact + step) {
      if (++steps > kMaxSteps) return TooMany();
      const double value = range_.whole ? std::floor(exact + 1e-9) : exact;
      if (!values.empty() && value == values.back()) continue;
      values.push_back(value);
      if (values.size() > kMaxSweepValues) return TooMany();
    }
    return values;
  }

  absl::StatusOr<double> ParseValue(absl::string_view part) const {
    double value = 0;
    const bool number = absl::SimpleAtod(part, &value) && std::isfinite(value);
    if (number && value >= range_.minimum && value <= range_.maximum && (!range_.whole || value == std::floor(value))) {
      return value;
    }
    return Refuse(absl::StrFormat("must be %s from %.15g to %.15g", range_.whole ? "whole numbers" : "numbers",
                                  range_.minimum, range_.maximum));
  }

  absl::Status TooMany() const { return Refuse(absl::StrCat("must have at most ", kMaxSweepValues, " values")); }
  absl::Status Refuse(absl::string_view rule) const {
    return UsageError(absl::StrCat(option_, " ", rule, "; was '", text_, "'"));
  }

  const absl::string_view option_;
  const absl::string_view text_;
  const SweepRange& range_;
};

}  // namespace

absl::StatusOr<std::vector<double>> ParseSweep(absl::string_view option, absl::string_view text,
                                               const SweepRange& range) {
  return SweepParser(option, text, range).Parse();
}

}  // namespace stillwave::client::bench
