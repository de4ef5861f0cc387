// The server's own view of a step: what its /metrics counted meanwhile.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace stillwave::client::bench {

// Sums over all versions of one model.
struct ServerStats {
  double compute_seconds = 0;
  double computed = 0;  // requests
  double queue_seconds = 0;
  double queued = 0;  // requests
  double samples = 0;
  double batches = 0;
  double resident_bytes = 0;  // memory of the process now; a difference keeps the later one

  ServerStats Since(const ServerStats& before) const;
  // Means; zero when nothing was counted.
  absl::Duration Compute() const;  // of a request, with all of its batch
  absl::Duration Queue() const;
  double BatchSamples() const;
};

// Reads Prometheus' text format; lines that are none, and metrics of other models, are passed over.
ServerStats ParseServerStats(absl::string_view text, absl::string_view model);

// GET http://<address>/metrics. Usage error when `address` is no HOST:PORT, kUnreachable (client/exit_code.h) when
// nobody answers there or with another page.
absl::StatusOr<ServerStats> FetchServerStats(const std::string& address, const std::string& model,
                                             absl::Duration timeout);

}  // namespace stillwave::client::bench
