// libFuzzer: any page is read to finite sums, never with a crash.
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "client/bench/server_stats.h"
#include "server/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view page(reinterpret_cast<const char*>(data), size);
  const auto stats = stillwave::client::bench::ParseServerStats(page, "ecg");
  const auto difference = stats.Since(stillwave::client::bench::ParseServerStats(page.substr(size / 2), "ecg"));
  SW_CHECK(!std::isnan(stats.BatchSamples()) && stats.Compute() == stats.Compute());
  SW_CHECK(difference.Queue() == difference.Queue());
  return 0;
}
