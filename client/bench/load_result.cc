#include "client/bench/load_result.h"

#include <algorithm>

namespace stillwave::client::bench {

int64_t LoadResult::errors() const {
  int64_t count = 0;
  for (const auto& [code, group] : groups) count += group.latency.count();
  return count;
}

double LoadResult::Rate(int64_t count) const {
  const double seconds = absl::ToDoubleSeconds(measured);
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

LatencyHistogram LoadResult::RefusalLatency() const {
  LatencyHistogram refusals;
  for (const absl::StatusCode code : {absl::StatusCode::kResourceExhausted, absl::StatusCode::kUnavailable}) {
    if (const auto found = groups.find(code); found != groups.end()) refusals.Merge(found->second.latency);
  }
  return refusals;
}

void LoadResult::Merge(const LoadResult& other) {
  sent += other.sent;
  unsent += other.unsent;
  abandoned += other.abandoned;
  latency.Merge(other.latency);
  late += other.late;
  for (const auto& [code, group] : other.groups) {
    ErrorGroup& mine = groups[code];
    if (mine.latency.count() == 0) mine.message = group.message;
    mine.latency.Merge(group.latency);
  }
  send_delay.Merge(other.send_delay);
  measured = std::max(measured, other.measured);
  ok_in_time += other.ok_in_time;
  errors_in_time += other.errors_in_time;
  timeline_step = std::max(timeline_step, other.timeline_step);
  timeline.resize(std::max(timeline.size(), other.timeline.size()));
  for (size_t i = 0; i < other.timeline.size(); ++i) {
    timeline[i].ok += other.timeline[i].ok;
    timeline[i].errors += other.timeline[i].errors;
    timeline[i].longest = std::max(timeline[i].longest, other.timeline[i].longest);
  }
}

}  // namespace stillwave::client::bench
