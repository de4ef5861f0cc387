// What a step of a benchmark saw.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/bench/latency_histogram.h"

namespace stillwave::client::bench {

// Requests that ended with one code other than OK.
struct ErrorGroup {
  LatencyHistogram latency;
  std::string message;  // of the first one
};

// What arrived in one of equal pieces of the measured time.
struct TimelineEntry {
  int64_t ok = 0;
  int64_t errors = 0;
  absl::Duration longest;  // latency of an OK
};

// sent == ok() + errors() + abandoned. Latencies are of the requests that were sent (open loop: due) in the measured
// time; rates count what arrived in it.
struct LoadResult {
  int64_t sent = 0;
  int64_t unsent = 0;        // open loop: due besides, but max_in_flight requests waited for answers until the end
  int64_t abandoned = 0;     // without an answer when Ctrl-C came
  LatencyHistogram latency;  // of OK; open loop: from when the request was due
  int64_t late = 0;          // OK, but later than LoadOptions.deadline
  std::map<absl::StatusCode, ErrorGroup> groups;
  LatencyHistogram send_delay;  // open loop: how late this client sent

  absl::Duration measured;  // the length of the measured time
  int64_t ok_in_time = 0;
  int64_t errors_in_time = 0;
  absl::Duration timeline_step;
  std::vector<TimelineEntry> timeline;

  int64_t ok() const { return latency.count(); }
  int64_t errors() const;
  // OK answers a second.
  double goodput() const { return Rate(ok_in_time); }
  // All answers a second.
  double throughput() const { return Rate(ok_in_time + errors_in_time); }
  // The refusals of a server that has enough to do: RESOURCE_EXHAUSTED and UNAVAILABLE.
  LatencyHistogram RefusalLatency() const;

  // `other` is of the same step.
  void Merge(const LoadResult& other);

 private:
  double Rate(int64_t count) const;
};

}  // namespace stillwave::client::bench
