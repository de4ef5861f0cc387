// The values that a benchmark goes through: "8", "1,2,4", "1:64:x2", "100:1000:+100".
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace stillwave::client::bench {

struct SweepRange {
  double minimum = 0;
  double maximum = 0;
  bool whole = false;  // whole numbers only
};

inline constexpr size_t kMaxSweepValues = 100;

// Values in the order in which they are written. FIRST:LAST:xFACTOR multiplies and FIRST:LAST:+STEP adds until LAST
// would be passed; whole numbers are rounded down. Usage error naming `option`, the rule and the text: no list of
// these forms, a value out of `range`, a factor of 1 or less, a step of 0 or less, more than kMaxSweepValues values.
absl::StatusOr<std::vector<double>> ParseSweep(absl::string_view option, absl::string_view text,
                                               const SweepRange& range);

}  // namespace stillwave::client::bench
