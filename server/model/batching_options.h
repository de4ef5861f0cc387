// How the requests of one model wait and share batches: dynamic_batching of its config.pbtxt.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "absl/time/time.h"

namespace stillwave::model {

// How requests of one priority level wait.
struct QueuePolicy {
  enum class TimeoutAction {
    kReject,  // who waited too long is answered with an error
    kDelay,   // who waited too long steps behind all of its level who did not
  };
  TimeoutAction timeout_action = TimeoutAction::kReject;
  // How long a request may wait. Infinite: as long as the request itself allows.
  absl::Duration default_timeout = absl::InfiniteDuration();
  // A request may shorten a finite default_timeout. Where that is infinite, a request's own timeout always holds.
  bool allow_timeout_override = false;
  // Samples of the level that may wait. 0: the server's limit.
  int64_t max_samples = 0;
};

struct BatchingOptions {
  // How long a request may wait for others to share a batch, although a worker is idle. 0: not at all.
  absl::Duration max_queue_delay = absl::ZeroDuration();
  // Batch sizes that end such a wait, ascending. Empty: the largest batch does.
  std::vector<int64_t> preferred_batch_sizes;
  // Answers leave in the order in which the requests were accepted.
  bool preserve_ordering = false;
  // Levels go from 1, the first to be served, to this number. 0: all requests are alike.
  int64_t priority_levels = 0;
  // The level of a request that names none, or one that the model has not. 1 to priority_levels; 0 without levels.
  int64_t default_priority_level = 0;
  QueuePolicy default_queue_policy;
  // By level, for those that differ.
  std::map<int64_t, QueuePolicy> level_queue_policies;
  // The model's share of compute time where models compete, against the weights of the others.
  int64_t scheduling_weight = 1;
};

inline constexpr int64_t kMaxSchedulingWeight = 100;
// Each level has a queue of its own.
inline constexpr int64_t kMaxPriorityLevels = 256;

}  // namespace stillwave::model
