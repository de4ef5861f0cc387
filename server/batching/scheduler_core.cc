#include "server/batching/scheduler_core.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/batching/batch_run.h"

namespace stillwave::batching::internal {
namespace {

void CallAll(std::vector<Callback>& callbacks) {
  for (Callback& callback : callbacks) std::move(callback)();
  callbacks.clear();
}

}  // namespace

SchedulerCore::SchedulerCore(const BatchScheduler::Options& options) : options_(options) {
  SW_CHECK(options.workers > 0);
  absl::MutexLock lock(&join_mutex_);
  for (int i = 0; i < options.workers; ++i) threads_.emplace_back([this] { ComputeBatches(); });
  threads_.emplace_back([this] { KeepDeadlines(); });
}

void SchedulerCore::AddQueue(std::shared_ptr<QueueState> state) {
  absl::MutexLock lock(&mutex_);
  queues_.push_back(std::move(state));
}

absl::Status SchedulerCore::TrySubmit(QueueState& state, InferenceTask& task) {
  SW_CHECK(task.samples > 0);
  const absl::Time now = options_.clock->Now();
  absl::MutexLock lock(&mutex_);
  QueueState::Guarded& data = Data(state);
  if (draining_) return absl::UnavailableError("the server is draining");
  if (data.closed) return absl::UnavailableError(absl::StrCat("model '", state.options.name, "' is being unloaded"));
  if (task.deadline <= now) return absl::DeadlineExceededError("the deadline had passed before the request was queued");
  if (!data.queue.HasSpaceFor(task.samples)) {
    return absl::ResourceExhaustedError(absl::StrCat("queue of model '", state.options.name, "' is full: limit ",
                                                     data.queue.max_samples(), " samples, ",
                                                     data.queue.waiting_samples(), " waiting"));
  }
  if (task.deadline < armed_) {
    armed_ = task.deadline;
    rearm_ = true;
  }
  data.queue.Push({std::move(task), now});
  ++data.accepted;
  ++waiting_tasks_;
  state.metrics->queue_samples->Set(static_cast<double>(data.queue.waiting_samples()));
  return absl::OkStatus();
}

void SchedulerCore::WhenSpaceFrees(QueueState& state, int64_t samples, Callback ready) {
  {
    absl::MutexLock lock(&mutex_);
    QueueState::Guarded& data = Data(state);
    if (!draining_ && !data.closed && !data.queue.HasSpaceFor(samples)) {
      data.space_waiters.push_back({samples, std::move(ready)});
      return;
    }
  }
  std::move(ready)();
}

void SchedulerCore::Close(QueueState& state, bool wait) {
  std::vector<SpaceWaiter> waiters;
  {
    absl::MutexLock lock(&mutex_);
    QueueState::Guarded& data = Data(state);
    data.closed = true;
    waiters.swap(data.space_waiters);
    // The last reference may be in queues_; the caller holds one too.
    if (data.AllAnswered()) std::erase_if(queues_, [&](const auto& queue) { return queue.get() == &state; });
    if (wait) mutex_.Await(absl::Condition(&data, &QueueState::Guarded::AllAnswered));
  }
  for (SpaceWaiter& waiter : waiters) std::move(waiter.ready)();
}

int64_t SchedulerCore::WaitingSamples(QueueState& state) const {
  absl::MutexLock lock(&mutex_);
  return Data(state).queue.waiting_samples();
}

void SchedulerCore::Drain() {
  std::vector<Callback> ready;
  {
    absl::MutexLock lock(&mutex_);
    draining_ = true;
    for (const std::shared_ptr<QueueState>& state : queues_) {
      for (SpaceWaiter& waiter : Data(*state).space_waiters) ready.push_back(std::move(waiter.ready));
      Data(*state).space_waiters.clear();
    }
  }
  CallAll(ready);
  absl::MutexLock lock(&join_mutex_);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void SchedulerCore::ExpireOverdue() {
  while (true) {
    std::optional<Work> work;
    {
      absl::MutexLock lock(&mutex_);
      work = TakeWork(/*idle_workers=*/0);
    }
    if (!work) return;
    Do(*work, /*context=*/nullptr);
    absl::MutexLock lock(&mutex_);
    Book(*work);
  }
}

void SchedulerCore::ComputeBatches() {
  execution::ExecutionContext::UseOneThread();
  execution::ExecutionContext context;
  std::optional<Work> work;
  while ((work = NextWork(work ? &*work : nullptr))) Do(*work, &context);
}

void SchedulerCore::KeepDeadlines() {
  while (true) {
    ExpireOverdue();
    absl::MutexLock lock(&mutex_);
    if (Ended()) return;
    const absl::Time now = options_.clock->Now();
    if (armed_ <= now) {
      armed_ = absl::InfiniteFuture();
      for (const auto& state : queues_) armed_ = std::min(armed_, Data(*state).queue.earliest_deadline());
    }
    rearm_ = false;
    mutex_.AwaitWithTimeout(absl::Condition(this, &SchedulerCore::DeadlineThreadIsNeeded), armed_ - now);
  }
}

std::optional<Work> SchedulerCore::NextWork(const Work* done_with) {
  absl::MutexLock lock(&mutex_);
  if (done_with != nullptr) Book(*done_with);
  while (true) {
    mutex_.Await(absl::Condition(this, &SchedulerCore::WorkerIsNeeded));
    if (Ended()) return std::nullopt;
    if (std::optional<Work> work = TakeWork(/*idle_workers=*/1)) return work;
  }
}

bool SchedulerCore::WorkerIsNeeded() const {
  if (waiting_tasks_ == 0) return draining_;
  return std::any_of(queues_.begin(), queues_.end(), [this](const std::shared_ptr<QueueState>& state) {
    mutex_.AssertHeld();
    const QueueState::Guarded& data = Data(*state);
    const int limit = state->options.max_running_batches;
    return !data.queue.empty() && (limit == 0 || data.running_batches < limit);
  });
}

std::optional<Work> SchedulerCore::TakeWork(int idle_workers) {
  snapshots_.clear();
  for (const std::shared_ptr<QueueState>& state : queues_) {
    const QueueState::Guarded& data = Data(*state);
    snapshots_.push_back({data.queue.waiting_samples(), data.queue.earliest_deadline(), data.last_service,
                          data.running_batches, state->options.max_running_batches});
  }
  const absl::Time now = options_.clock->Now();
  const Decision decision = Decide(snapshots_, now, idle_workers);
  if (const auto* expire = std::get_if<Expire>(&decision)) return TakeOverdue(queues_[expire->index], now);
  if (const auto* dispatch = std::get_if<Dispatch>(&decision)) return TakeBatch(queues_[dispatch->index]);
  return std::nullopt;
}

Work SchedulerCore::TakeOverdue(const std::shared_ptr<QueueState>& state, absl::Time now) {
  Work work;
  work.state = state;
  work.overdue = Data(*state).queue.TakeOverdue(now);
  Taken(work);
  return work;
}

Work SchedulerCore::TakeBatch(const std::shared_ptr<QueueState>& state) {
  QueueState::Guarded& data = Data(*state);
  BatchQueue::Batch batch = data.queue.TakeBatch(state->options.max_batch_size);
  data.last_service = ++services_;
  ++data.running_batches;
  Work work;
  work.state = state;
  work.batch = std::move(batch.tasks);
  work.reason = batch.full  ? metrics::BatchReason::kFull
                : draining_ ? metrics::BatchReason::kDrain
                            : metrics::BatchReason::kIdle;
  work.computes = true;
  Taken(work);
  return work;
}

void SchedulerCore::Taken(Work& work) {
  QueueState::Guarded& data = Data(*work.state);
  work.tasks = static_cast<int64_t>(work.overdue.size() + work.batch.size());
  waiting_tasks_ -= work.tasks;
  work.state->metrics->queue_samples->Set(static_cast<double>(data.queue.waiting_samples()));
  std::erase_if(data.space_waiters, [&](SpaceWaiter& waiter) {
    if (!data.queue.HasSpaceFor(waiter.samples)) return false;
    work.space_freed.push_back(std::move(waiter.ready));
    return true;
  });
}

void SchedulerCore::Book(const Work& work) {
  QueueState::Guarded& data = Data(*work.state);
  data.accepted -= work.tasks;
  if (work.computes) --data.running_batches;
  if (data.closed && data.AllAnswered()) {
    std::erase_if(queues_, [&](const auto& queue) { return queue == work.state; });
  }
}

void SchedulerCore::Do(Work& work, execution::ExecutionContext* context) {
  CallAll(work.space_freed);
  const QueueState& state = *work.state;
  AnswerOverdue(*state.metrics, options_.clock->Now(), std::move(work.overdue));
  if (!work.computes) return;
  const BatchTarget target{*state.runner, state.options.output_types, state.options.max_batch_size, *state.metrics};
  RunBatch(target, work.reason, *options_.clock, *context, std::move(work.batch));
}

}  // namespace stillwave::batching::internal
