#include "server/model/model_config_batching.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/model/model_config_checks.h"

namespace stillwave::model {
namespace {

constexpr int64_t kMicrosecondsPerHour = int64_t{3600} * 1'000'000;
constexpr int64_t kMaxDelayMicroseconds = kMicrosecondsPerHour;
constexpr int64_t kMaxTimeoutMicroseconds = 24 * kMicrosecondsPerHour;

absl::Status ReadPreferredSizes(const inference::ModelDynamicBatching& file, int64_t max_batch_size,
                                BatchingOptions* options) {
  for (const int32_t size : file.preferred_batch_size()) {
    RETURN_IF_ERROR(CheckRange("dynamic_batching.preferred_batch_size", size, 1, max_batch_size));
    options->preferred_batch_sizes.push_back(size);
  }
  std::sort(options->preferred_batch_sizes.begin(), options->preferred_batch_sizes.end());
  return absl::OkStatus();
}

absl::Status ReadLevels(const inference::ModelDynamicBatching& file, BatchingOptions* options) {
  RETURN_IF_ERROR(
      CheckUnsignedRange("dynamic_batching.priority_levels", file.priority_levels(), 0, kMaxPriorityLevels));
  options->priority_levels = static_cast<int64_t>(file.priority_levels());
  const int64_t lowest_level = options->priority_levels > 0 ? 1 : 0;
  RETURN_IF_ERROR(CheckUnsignedRange("dynamic_batching.default_priority_level", file.default_priority_level(),
                                     lowest_level, options->priority_levels));
  options->default_priority_level = static_cast<int64_t>(file.default_priority_level());
  return absl::OkStatus();
}

absl::Status ReadQueuePolicy(const std::string& field, const inference::ModelQueuePolicy& file, QueuePolicy* policy) {
  switch (file.timeout_action()) {
    case inference::ModelQueuePolicy::REJECT:
      policy->timeout_action = QueuePolicy::TimeoutAction::kReject;
      break;
    case inference::ModelQueuePolicy::DELAY:
      policy->timeout_action = QueuePolicy::TimeoutAction::kDelay;
      break;
    default:
      return Invalid(absl::StrCat(field, ".timeout_action"), "be REJECT or DELAY",
                     absl::StrCat(static_cast<int>(file.timeout_action())));
  }
  const uint64_t timeout = file.default_timeout_microseconds();
  RETURN_IF_ERROR(
      CheckUnsignedRange(absl::StrCat(field, ".default_timeout_microseconds"), timeout, 0, kMaxTimeoutMicroseconds));
  policy->default_timeout = timeout == 0 ? absl::InfiniteDuration() : absl::Microseconds(static_cast<int64_t>(timeout));
  policy->allow_timeout_override = file.allow_timeout_override();
  policy->max_samples = file.max_queue_size();
  return absl::OkStatus();
}

absl::Status ReadQueuePolicies(const inference::ModelDynamicBatching& file, BatchingOptions* options) {
  RETURN_IF_ERROR(ReadQueuePolicy("dynamic_batching.default_queue_policy", file.default_queue_policy(),
                                  &options->default_queue_policy));
  for (const auto& [level, policy] : file.priority_queue_policy()) {
    if (level < 1 || level > static_cast<uint64_t>(options->priority_levels)) {
      return Invalid("dynamic_batching.priority_queue_policy", "have keys from 1 to priority_levels",
                     absl::StrCat(level, ", with ", options->priority_levels, " levels"));
    }
    RETURN_IF_ERROR(ReadQueuePolicy(absl::StrCat("dynamic_batching.priority_queue_policy ", level), policy,
                                    &options->level_queue_policies[static_cast<int64_t>(level)]));
  }
  return absl::OkStatus();
}

// What would break an order that answers are to keep.
absl::Status CheckOrdering(const BatchingOptions& options) {
  if (!options.preserve_ordering) return absl::OkStatus();
  if (options.priority_levels > 1) {
    return Invalid("dynamic_batching.priority_levels", "be at most 1 with preserve_ordering",
                   absl::StrCat(options.priority_levels));
  }
  const auto delays = [](const QueuePolicy& policy) {
    return policy.timeout_action == QueuePolicy::TimeoutAction::kDelay;
  };
  const bool any_delays = delays(options.default_queue_policy) ||
                          std::any_of(options.level_queue_policies.begin(), options.level_queue_policies.end(),
                                      [&](const auto& level) { return delays(level.second); });
  if (!any_delays) return absl::OkStatus();
  return Invalid("dynamic_batching queue policies' timeout_action", "be REJECT with preserve_ordering", "DELAY");
}

}  // namespace

absl::Status ReadDynamicBatching(const inference::ModelDynamicBatching& file, int64_t max_batch_size,
                                 BatchingOptions* options) {
  RETURN_IF_ERROR(ReadPreferredSizes(file, max_batch_size, options));
  RETURN_IF_ERROR(CheckUnsignedRange("dynamic_batching.max_queue_delay_microseconds",
                                     file.max_queue_delay_microseconds(), 0, kMaxDelayMicroseconds));
  options->max_queue_delay = absl::Microseconds(static_cast<int64_t>(file.max_queue_delay_microseconds()));
  options->preserve_ordering = file.preserve_ordering();
  RETURN_IF_ERROR(ReadLevels(file, options));
  RETURN_IF_ERROR(ReadQueuePolicies(file, options));
  return CheckOrdering(*options);
}

}  // namespace stillwave::model
