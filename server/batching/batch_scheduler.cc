#include "server/batching/batch_scheduler.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/batching/queue_state.h"
#include "server/batching/scheduler_core.h"

namespace stillwave::batching {
namespace {

absl::Status CheckPositive(absl::string_view name, int64_t value) {
  if (value > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " must be positive; was ", value));
}

absl::Status CheckBatching(const model::BatchingOptions& batching) {
  if (batching.scheduling_weight < 1 || batching.scheduling_weight > model::kMaxSchedulingWeight) {
    return absl::InvalidArgumentError(absl::StrCat("scheduling_weight must be 1 to ", model::kMaxSchedulingWeight,
                                                   "; was ", batching.scheduling_weight));
  }
  if (batching.priority_levels < 0 || batching.priority_levels > model::kMaxPriorityLevels) {
    return absl::InvalidArgumentError(
        absl::StrCat("priority_levels must be 0 to ", model::kMaxPriorityLevels, "; was ", batching.priority_levels));
  }
  const int64_t lowest_level = batching.priority_levels > 0 ? 1 : 0;
  if (batching.default_priority_level < lowest_level || batching.default_priority_level > batching.priority_levels) {
    return absl::InvalidArgumentError(absl::StrCat("default_priority_level must be ", lowest_level, " to ",
                                                   batching.priority_levels, "; was ",
                                                   batching.default_priority_level));
  }
  return absl::OkStatus();
}

}  // namespace

ModelQueue::ModelQueue(std::shared_ptr<internal::SchedulerCore> core, std::shared_ptr<internal::QueueState> state)
    : core_(std::move(core)), state_(std::move(state)) {}

ModelQueue::~ModelQueue() { core_->Close(*state_, /*wait=*/false); }

absl::Status ModelQueue::Submit(InferenceTask task) {
  absl::Status status = TrySubmit(task);
  switch (status.code()) {
    case absl::StatusCode::kResourceExhausted:
      state_->metrics->CountRejection(metrics::Rejection::kQueueFull);
      break;
    case absl::StatusCode::kDeadlineExceeded:
      state_->metrics->CountRejection(metrics::Rejection::kDeadline);
      break;
    case absl::StatusCode::kUnavailable:
      state_->metrics->CountRejection(metrics::Rejection::kDraining);
      break;
    case absl::StatusCode::kCancelled:
      state_->metrics->CountRejection(metrics::Rejection::kCancelled);
      break;
    default:
      break;
  }
  return status;
}

absl::Status ModelQueue::TrySubmit(InferenceTask& task) { return core_->TrySubmit(*state_, task); }

void ModelQueue::WhenSpaceFrees(int64_t samples, absl::AnyInvocable<void()> ready) {
  core_->WhenSpaceFrees(*state_, samples, std::move(ready));
}

void ModelQueue::Close() { core_->Close(*state_, /*wait=*/true); }

const ModelQueueOptions& ModelQueue::options() const { return state_->options; }

int64_t ModelQueue::MostUndivided(int64_t elements) const { return core_->MostUndivided(*state_, elements); }

int64_t ModelQueue::waiting_samples() const { return core_->WaitingSamples(*state_); }

BatchScheduler::BatchScheduler(const Options& options) : core_(std::make_shared<internal::SchedulerCore>(options)) {}

BatchScheduler::~BatchScheduler() { core_->Drain(); }

absl::StatusOr<std::shared_ptr<ModelQueue>> BatchScheduler::AddModel(std::shared_ptr<const model::BatchRunner> runner,
                                                                     ModelQueueOptions options,
                                                                     const metrics::ModelMetrics* metrics) {
  SW_CHECK(runner != nullptr && metrics != nullptr);
  RETURN_IF_ERROR(CheckPositive("max_batch_size", options.max_batch_size));
  RETURN_IF_ERROR(CheckPositive("max_queue_samples", options.max_queue_samples));
  if (options.max_running_batches < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_running_batches must not be negative; was ", options.max_running_batches));
  }
  RETURN_IF_ERROR(CheckBatching(options.batching));
  auto state = std::make_shared<internal::QueueState>(std::move(runner), std::move(options), metrics);
  core_->AddQueue(state);
  return std::make_shared<ModelQueue>(core_, std::move(state));
}

void BatchScheduler::Drain() { core_->Drain(); }

void BatchScheduler::RunTimers() { core_->RunTimers(); }

void BatchScheduler::AwaitIdle() { core_->AwaitIdle(); }

int BatchScheduler::workers() const { return core_->workers(); }

}  // namespace stillwave::batching
