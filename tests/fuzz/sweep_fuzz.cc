// libFuzzer: any text is a bounded number of values in the range, or an error; never a crash or an endless loop.
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "client/bench/sweep.h"
#include "server/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using stillwave::client::bench::kMaxSweepValues;
  using stillwave::client::bench::SweepRange;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  for (const SweepRange& range : {SweepRange{1, 16384, true}, SweepRange{0.01, 1e6, false}}) {
    const auto values = stillwave::client::bench::ParseSweep("--sweep", text, range);
    if (!values.ok()) continue;
    SW_CHECK(!values->empty() && values->size() <= kMaxSweepValues);
    for (const double value : *values) {
      SW_CHECK(value >= range.minimum && value <= range.maximum * (1 + 1e-9));
      SW_CHECK(!range.whole || value == std::floor(value));
    }
  }
  return 0;
}
