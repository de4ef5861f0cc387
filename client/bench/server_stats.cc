#include "client/bench/server_stats.h"

#include <httplib.h>

#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/exit_code.h"

namespace stillwave::client::bench {
namespace {

struct Counted {
  absl::string_view name;
  double ServerStats::*sum;
};
constexpr Counted kCounted[] = {{"stillwave_compute_duration_seconds_sum", &ServerStats::compute_seconds},
                                {"stillwave_compute_duration_seconds_count", &ServerStats::computed},
                                {"stillwave_queue_duration_seconds_sum", &ServerStats::queue_seconds},
                                {"stillwave_queue_duration_seconds_count", &ServerStats::queued},
                                {"stillwave_samples_total", &ServerStats::samples},
                                {"stillwave_batches_total", &ServerStats::batches}};

// As label values are written: backslash, quote and newline are escaped.
std::string Escaped(absl::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') text += '\\';
    text += c;
  }
  return text;
}

absl::Duration Mean(double seconds, double count) {
  return count > 0 && std::isfinite(seconds) ? absl::Seconds(seconds / count) : absl::ZeroDuration();
}

}  // namespace

ServerStats ServerStats::Since(const ServerStats& before) const {
  ServerStats difference;
  difference.resident_bytes = resident_bytes;
  for (const Counted& counted : kCounted) difference.*counted.sum = this->*counted.sum - before.*counted.sum;
  return difference;
}

absl::Duration ServerStats::Compute() const { return Mean(compute_seconds, computed); }
absl::Duration ServerStats::Queue() const { return Mean(queue_seconds, queued); }
double ServerStats::BatchSamples() const { return batches > 0 ? samples / batches : 0; }

ServerStats ParseServerStats(absl::string_view text, absl::string_view model) {
  const std::string label = absl::StrCat("model=\"", Escaped(model), "\"");
  ServerStats stats;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    constexpr absl::string_view kResident = "process_resident_memory_bytes ";
    double resident = 0;
    if (absl::StartsWith(line, kResident) && absl::SimpleAtod(line.substr(kResident.size()), &resident) &&
        std::isfinite(resident)) {
      stats.resident_bytes = resident;
    }
    const size_t labels = line.find('{');
    const size_t value_at = line.rfind(' ');
    if (labels == absl::string_view::npos || value_at == absl::string_view::npos || value_at < labels) continue;
    const absl::string_view between = line.substr(labels + 1, value_at - labels - 1);
    // The label's name begins where the list does, or after a comma.
    if (!absl::StartsWith(between, label) && !absl::StrContains(between, absl::StrCat(",", label))) continue;
    double value = 0;
    if (!absl::SimpleAtod(line.substr(value_at + 1), &value) || !std::isfinite(value)) continue;
    for (const Counted& counted : kCounted) {
      if (line.substr(0, labels) == counted.name) stats.*counted.sum += value;
    }
  }
  return stats;
}

absl::StatusOr<ServerStats> FetchServerStats(const std::string& address, const std::string& model,
                                             absl::Duration timeout) {
  const size_t colon = address.rfind(':');
  int port = 0;
  if (colon == std::string::npos || colon == 0 || !absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 1 ||
      port > 65535) {
    return UsageError(
        absl::StrCat("--server-stats must be HOST:PORT with a port from 1 to 65535; was '", address, "'"));
  }
  httplib::Client client(address.substr(0, colon), port);
  client.set_connection_timeout(absl::ToChronoMicroseconds(timeout));
  client.set_read_timeout(absl::ToChronoMicroseconds(timeout));
  const httplib::Result result = client.Get("/metrics");
  const std::string where = absl::StrCat("cannot read http://", address, "/metrics: ");
  if (!result) return MakeError(ExitCode::kUnreachable, absl::StrCat(where, httplib::to_string(result.error())));
  if (result->status != 200) return MakeError(ExitCode::kUnreachable, absl::StrCat(where, "status ", result->status));
  return ParseServerStats(result->body, model);
}

}  // namespace stillwave::client::bench
