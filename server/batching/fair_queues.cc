#include "server/batching/fair_queues.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "server/base/check.h"

namespace stillwave::batching::internal {
namespace {

// How much earlier than its time is up a task ends the wait for others: what a timer's thread may be late.
constexpr absl::Duration kMargin = absl::Milliseconds(1);

LevelPolicy ToLevelPolicy(const model::QueuePolicy& policy, int64_t max_queue_samples) {
  return {policy.max_samples > 0 ? policy.max_samples : max_queue_samples, policy.default_timeout,
          policy.allow_timeout_override, policy.timeout_action == model::QueuePolicy::TimeoutAction::kDelay};
}

std::vector<LevelPolicy> LevelPolicies(const ModelQueueOptions& options) {
  const model::BatchingOptions& batching = options.batching;
  std::vector<LevelPolicy> policies;
  for (int64_t level = 1; level <= std::max<int64_t>(1, batching.priority_levels); ++level) {
    const auto own = batching.level_queue_policies.find(level);
    const bool has_own = own != batching.level_queue_policies.end();
    policies.push_back(ToLevelPolicy(has_own ? own->second : batching.default_queue_policy, options.max_queue_samples));
  }
  return policies;
}

size_t DefaultLevel(const model::BatchingOptions& batching) {
  return static_cast<size_t>(std::max<int64_t>(1, batching.default_priority_level) - 1);
}

// The largest preferred size that is there, else the largest batch.
int64_t BatchSamples(const ModelQueueOptions& options, int64_t waiting_samples, bool delays) {
  int64_t samples = options.max_batch_size;
  if (!delays) return samples;
  for (const int64_t preferred : options.batching.preferred_batch_sizes) {
    if (preferred <= waiting_samples) samples = preferred;
  }
  return samples;
}

}  // namespace

QueueState::QueueState(std::shared_ptr<const model::BatchRunner> batch_runner, ModelQueueOptions queue_options,
                       const metrics::ModelMetrics* model_metrics)
    : runner(std::move(batch_runner)),
      options(std::move(queue_options)),
      metrics(model_metrics),
      order(options.batching.preserve_ordering ? std::make_unique<AnswerOrder>() : nullptr),
      queue(LevelPolicies(options), DefaultLevel(options.batching)) {}

void FairQueues::Add(std::shared_ptr<QueueState> state) { queues_.push_back(std::move(state)); }

void FairQueues::Drain(std::vector<Callback>& waiting_for_space) {
  draining_ = true;
  for (const std::shared_ptr<QueueState>& state : queues_) {
    for (SpaceWaiter& waiter : state->space_waiters) waiting_for_space.push_back(std::move(waiter.ready));
    state->space_waiters.clear();
  }
}

std::shared_ptr<QueueState> FairQueues::Close(QueueState& state, std::vector<Callback>& waiting_for_space) {
  state.closed = true;
  for (SpaceWaiter& waiter : state.space_waiters) waiting_for_space.push_back(std::move(waiter.ready));
  state.space_waiters.clear();
  return RetireIfDone(state);
}

std::shared_ptr<QueueState> FairQueues::RetireIfDone(QueueState& state) {
  if (!state.closed || !IsDone(&state)) return nullptr;
  const auto it =
      std::find_if(queues_.begin(), queues_.end(), [&](const auto& candidate) { return candidate.get() == &state; });
  if (it == queues_.end()) return nullptr;
  std::shared_ptr<QueueState> retired = std::move(*it);
  queues_.erase(it);
  return retired;
}

int FairQueues::Parallel(const QueueState& state) const {
  const int instances = state.options.max_running_batches;
  return instances == 0 ? options_.workers : std::min(instances, options_.workers);
}

absl::Duration FairQueues::MaxDelay(const QueueState& state) const {
  return draining_ || state.closed ? absl::ZeroDuration() : state.options.batching.max_queue_delay;
}

absl::Duration FairQueues::WaitAtLeast(const QueueState& state, size_t level) const {
  return state.estimate.AtLeast(state.queue.ElementsBefore(level) / Parallel(state));
}

bool FairQueues::IsTooLong(const QueueState& state, absl::Duration wait) const {
  return wait > options_.max_queue_wait && state.queue.waiting_tasks() >= kAlwaysWelcome;
}

bool FairQueues::HasSpace(const QueueState& state, int64_t samples) const {
  const size_t level = state.queue.default_level();
  if (!state.queue.HasSpaceFor(samples, level) || IsTooLong(state, WaitAtLeast(state, level))) return false;
  // Computed answers that wait for others lie in memory too.
  const int64_t held = state.order == nullptr ? 0 : state.order->held_samples();
  return held == 0 || held + state.queue.waiting_samples(level) + samples <= state.queue.max_samples(level);
}

absl::Status FairQueues::Admit(const QueueState& state, const InferenceTask& task, absl::Time now) const {
  const std::string& name = state.options.name;
  if (draining_) return absl::UnavailableError("the server is draining");
  if (state.closed) return absl::UnavailableError(absl::StrCat("model '", name, "' is being unloaded"));
  if (IsCancelled(task)) return absl::CancelledError("the request was cancelled before it was queued");
  if (task.deadline <= now) return absl::DeadlineExceededError("the deadline had passed before the request was queued");
  const BatchQueue& queue = state.queue;
  const size_t level = queue.LevelOf(task.priority);
  if (!queue.HasSpaceFor(task.samples, level) || (state.order != nullptr && !HasSpace(state, task.samples))) {
    return absl::ResourceExhaustedError(absl::StrCat("queue of model '", name, "' is full: limit ",
                                                     queue.max_samples(level), " samples, ",
                                                     queue.waiting_samples(level), " waiting"));
  }
  const absl::Duration wait = WaitAtLeast(state, level);
  if (IsTooLong(state, wait)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("queue of model '", name, "' is full: limit ", absl::FormatDuration(options_.max_queue_wait),
                     " of work (--max_queue_milliseconds), what waits takes ", absl::FormatDuration(wait), " or more"));
  }
  if (wait == absl::ZeroDuration()) return absl::OkStatus();
  const absl::Duration compute = state.estimate.AtLeast(ElementsOf(task) / Parallel(state));
  const absl::Duration left = std::min(task.deadline - now - compute, queue.GiveUpAt(task, now) - now);
  if (wait <= left) return absl::OkStatus();
  return absl::DeadlineExceededError(absl::StrCat("the deadline cannot be met: what waits in the queue of model '",
                                                  name, "' takes ", absl::FormatDuration(wait), " or more, and ",
                                                  absl::FormatDuration(left), " are left"));
}

bool FairQueues::RunsAtOnce(const QueueState& state) const {
  return state.queue.empty() && MaxDelay(state) == absl::ZeroDuration() &&
         HasFreeInstance(state.running_batches, state.options.max_running_batches);
}

absl::Duration FairQueues::Expected(const QueueState& state, const InferenceTask& task) const {
  return state.estimate.Expected(ElementsOf(task));
}

void FairQueues::Start(QueueState& state, InferenceTask task, absl::Time now, int idle_workers, Work& work) {
  WaitingTask waiting = state.queue.Receive(std::move(task), now);
  waiting.state = &state;
  if (state.order != nullptr) waiting.ticket = state.order->Enter();
  ++state.accepted;
  state.virtual_time = std::max(state.virtual_time, virtual_now_);
  const int64_t samples = waiting.task.samples, elements = waiting.elements;
  work.tasks.push_back(std::move(waiting));
  Begin(state, samples, elements, samples >= state.options.max_batch_size, idle_workers, work);
}

absl::Time FairQueues::Push(QueueState& state, InferenceTask task, absl::Time now) {
  WaitingTask waiting = state.queue.Receive(std::move(task), now);
  waiting.state = &state;
  if (state.order != nullptr) waiting.ticket = state.order->Enter();
  ++state.accepted;
  ++waiting_tasks_;
  const absl::Time timer = std::min(waiting.give_up, waiting.step_back);
  state.queue.Push(std::move(waiting));
  if (state.active_index == QueueState::kNotActive) Activate(state);
  state.metrics->queue_samples->Set(static_cast<double>(state.queue.waiting_samples()));
  return timer;
}

QueueSnapshot FairQueues::Snapshot(const QueueState& state) const {
  QueueSnapshot snapshot;
  snapshot.waiting_samples = state.queue.waiting_samples();
  snapshot.next_timer = state.queue.next_timer();
  snapshot.max_delay = MaxDelay(state);
  if (snapshot.max_delay > absl::ZeroDuration()) {
    const std::vector<int64_t>& preferred = state.options.batching.preferred_batch_sizes;
    snapshot.oldest = state.queue.oldest();
    snapshot.enough_samples = preferred.empty() ? state.options.max_batch_size : preferred.front();
    snapshot.lead = kMargin + state.estimate.Expected(state.queue.waiting_elements());
  }
  snapshot.virtual_time = state.virtual_time;
  snapshot.last_service = state.last_service;
  snapshot.running_batches = state.running_batches;
  snapshot.max_running_batches = state.options.max_running_batches;
  return snapshot;
}

Decision FairQueues::Decide(absl::Time now, int idle_workers) {
  snapshots_.clear();
  for (const QueueState* state : active_) snapshots_.push_back(Snapshot(*state));
  return batching::Decide(snapshots_, now, idle_workers);
}

bool FairQueues::HasWork(absl::Time now) { return !std::holds_alternative<Wait>(Decide(now, /*idle_workers=*/1)); }

bool FairQueues::Take(absl::Time now, int idle_workers, Work& work, absl::Time* until) {
  while (true) {
    const Decision decision = Decide(now, idle_workers);
    if (const auto* expire = std::get_if<Expire>(&decision)) {
      TakeOverdue(*active_[expire->index], now, work);
    } else if (const auto* dispatch = std::get_if<Dispatch>(&decision)) {
      TakeBatch(*active_[dispatch->index], idle_workers, work);
      return true;
    } else {
      *until = std::get<Wait>(decision).until;
      return !work.given_up.empty();
    }
  }
}

void FairQueues::TakeOverdue(QueueState& state, absl::Time now, Work& work) {
  const size_t before = work.given_up.size();
  state.queue.TakeOverdue(now, work.given_up);
  waiting_tasks_ -= static_cast<int64_t>(work.given_up.size() - before);
  Changed(state, work.space_freed);
}

void FairQueues::TakeBatch(QueueState& state, int idle_workers, Work& work) {
  const bool delays = MaxDelay(state) > absl::ZeroDuration();
  BatchLimits limits;
  limits.samples = BatchSamples(state.options, state.queue.waiting_samples(), delays);
  if (!delays) limits.elements = state.estimate.ElementsIn(kLongestBatch);
  const BatchQueue::Batch batch = state.queue.TakeBatch(limits, work.tasks);
  waiting_tasks_ -= static_cast<int64_t>(work.tasks.size());
  Begin(state, batch.samples, batch.elements, batch.full, idle_workers, work);
  Changed(state, work.space_freed);
}

void FairQueues::Begin(QueueState& state, int64_t samples, int64_t elements, bool full, int idle_workers, Work& work) {
  work.state = &state;
  work.reason = full                                     ? metrics::BatchReason::kFull
                : draining_                              ? metrics::BatchReason::kDrain
                : MaxDelay(state) > absl::ZeroDuration() ? metrics::BatchReason::kDelay
                                                         : metrics::BatchReason::kIdle;
  work.expected = state.estimate.Expected(elements);
  ++state.running_batches;
  work.helpers = HelpersFor(samples, work.expected, options_.least_part, idle_workers - 1, state.running_batches,
                            state.options.max_running_batches);
  virtual_now_ = std::max(virtual_now_, state.virtual_time);
  state.last_service = ++services_;
  Charge(state, work.expected);
}

int64_t FairQueues::MostUndivided(const QueueState& state, int64_t elements) {
  // Of the level's places a part: single samples would always be before one that waits for all of them.
  const int64_t places = state.queue.max_samples(state.queue.default_level()) / 4;
  const int64_t in_time = state.estimate.ElementsIn(kLongestBatch) / elements;
  return std::max<int64_t>(1, std::min({places, in_time, state.options.max_batch_size}));
}

void FairQueues::Charge(QueueState& state, absl::Duration compute) {
  state.virtual_time += absl::ToInt64Nanoseconds(compute) / state.options.batching.scheduling_weight;
}

void FairQueues::WithdrawAll(Cancellation& cancellation, Work& work) {
  while (QueuedTask* const queued = BatchQueue::FirstOf(cancellation)) {
    QueueState& state = *queued->waiting.state;
    work.given_up.push_back(state.queue.Take(*queued));
    --waiting_tasks_;
    Changed(state, work.space_freed);
  }
}

void FairQueues::Assist(QueueState& state, std::shared_ptr<BatchRun> run, Work& work) {
  ++state.running_batches;
  work.state = &state;
  work.assisted = std::move(run);
}

void FairQueues::Finish(Work& work, std::vector<std::shared_ptr<QueueState>>& retired) {
  for (const WaitingTask& waiting : work.given_up) {
    --waiting.state->accepted;
    if (std::shared_ptr<QueueState> done = RetireIfDone(*waiting.state)) retired.push_back(std::move(done));
  }
  work.given_up.clear();
  if (work.state == nullptr) return;
  QueueState& state = *work.state;
  --state.running_batches;
  state.accepted -= work.outcome.answered;
  Charge(state, work.outcome.busy - work.expected);
  if (work.outcome.elements > 0) state.estimate.Observe(work.outcome.elements, work.outcome.total_busy);
  if (state.order != nullptr) FreeSpace(state, work.space_freed);
  if (std::shared_ptr<QueueState> done = RetireIfDone(state)) retired.push_back(std::move(done));
  work.state = nullptr;
  work.tasks.clear();
  work.expected = absl::ZeroDuration();
  work.outcome = BatchOutcome();
}

void FairQueues::Changed(QueueState& state, std::vector<Callback>& space_freed) {
  if (state.queue.empty() && state.active_index != QueueState::kNotActive) Deactivate(state);
  state.metrics->queue_samples->Set(static_cast<double>(state.queue.waiting_samples()));
  FreeSpace(state, space_freed);
}

void FairQueues::Activate(QueueState& state) {
  state.virtual_time = std::max(state.virtual_time, virtual_now_);
  state.active_index = active_.size();
  active_.push_back(&state);
}

void FairQueues::Deactivate(QueueState& state) {
  active_[state.active_index] = active_.back();
  active_[state.active_index]->active_index = state.active_index;
  active_.pop_back();
  state.active_index = QueueState::kNotActive;
}

void FairQueues::FreeSpace(QueueState& state, std::vector<Callback>& space_freed) {
  std::erase_if(state.space_waiters, [&](SpaceWaiter& waiter) {
    if (!HasSpace(state, waiter.samples)) return false;
    space_freed.push_back(std::move(waiter.ready));
    return true;
  });
}

}  // namespace stillwave::batching::internal
