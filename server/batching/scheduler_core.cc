#include "server/batching/scheduler_core.h"

#include <algorithm>
#include <utility>

#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/batching/batch_run.h"

namespace stillwave::batching {

void Cancellation::Cancel() {
  cancelled_.store(true);
  if (internal::SchedulerCore* core = core_.load(); core != nullptr) core->Withdraw(*this);
}

namespace internal {
namespace {

// Parts of a batch for each worker that computes it: who is woken late finds less left.
constexpr int64_t kPartsPerWorker = 2;
// A part is to take no longer: between two parts a helper looks whether others wait.
constexpr absl::Duration kLongestPart = absl::Milliseconds(1);

void CallAll(std::vector<Callback>& callbacks) {
  for (Callback& callback : callbacks) std::move(callback)();
  callbacks.clear();
}

FairQueues::Options QueueOptions(const BatchScheduler::Options& options) {
  FairQueues::Options queues;
  queues.workers = options.workers;
  queues.least_part = options.least_part;
  queues.max_queue_wait = options.max_queue_wait;
  return queues;
}

}  // namespace

SchedulerCore::SchedulerCore(const BatchScheduler::Options& options)
    : options_(options), queues_(QueueOptions(options)) {
  SW_CHECK(options.workers > 0);
  absl::MutexLock join_lock(&join_mutex_);
  absl::MutexLock lock(&mutex_);
  for (int i = 0; i < options.workers; ++i) {
    Worker& worker = *workers_.emplace_back(std::make_unique<Worker>());
    idle_.push_back(&worker);
    threads_.emplace_back([this, &worker] { ComputeBatches(worker); });
  }
  threads_.emplace_back([this] { KeepTimers(); });
}

void SchedulerCore::AddQueue(std::shared_ptr<QueueState> state) {
  absl::MutexLock lock(&mutex_);
  queues_.Add(std::move(state));
}

absl::Status SchedulerCore::TrySubmit(QueueState& state, InferenceTask& task) {
  SW_CHECK(task.samples > 0);
  const absl::Time now = options_.clock->Now();
  Wakes wakes;
  Worker* place = nullptr;
  {
    absl::MutexLock lock(&mutex_);
    RETURN_IF_ERROR(queues_.Admit(state, task, now));
    if (!idle_.empty() && queues_.RunsAtOnce(state)) {
      const bool here = task.may_run_on_caller && state.order == nullptr &&
                        RunsOnCaller(queues_.Expected(state, task), options_.inline_compute);
      Worker* const worker = TakeIdle();
      queues_.Start(state, std::move(task), now, IdleWorkers() + 1, worker->work);
      if (here) {
        place = worker;
        ++guests_;
      } else {
        wakes.Add(worker);
      }
    } else {
      // Before the flag is looked at once more: one of Cancel and this thread sees what the other did.
      Cancellation* const cancellation = task.cancellation.get();
      if (cancellation != nullptr) {
        cancellation->core_.store(this);
        if (cancellation->cancelled_.load()) {
          return absl::CancelledError("the request was cancelled before it was queued");
        }
      }
      Arm(queues_.Push(state, std::move(task), now), wakes);
      if (!idle_.empty()) HandOut(now, wakes);
    }
  }
  if (place != nullptr) {
    execution::ExecutionContext::UseOneThread();
    Do(place->work, &place->context);
    ReturnPlace(*place);
  } else {
    Wake(wakes);
  }
  return absl::OkStatus();
}

void SchedulerCore::WhenSpaceFrees(QueueState& state, int64_t samples, Callback ready) {
  {
    absl::MutexLock lock(&mutex_);
    if (!queues_.draining() && !FairQueues::IsClosed(state) && !queues_.HasSpace(state, samples)) {
      queues_.AddSpaceWaiter(state, {samples, std::move(ready)});
      return;
    }
  }
  std::move(ready)();
}

void SchedulerCore::Close(QueueState& state, bool wait) {
  std::vector<Callback> ready;
  std::shared_ptr<QueueState> retired;  // the caller holds a reference too
  Wakes wakes;
  {
    absl::MutexLock lock(&mutex_);
    retired = queues_.Close(state, ready);
    // Nothing waits for company any more.
    HandOut(options_.clock->Now(), wakes);
  }
  Wake(wakes);
  CallAll(ready);
  if (!wait) return;
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&FairQueues::IsDone, static_cast<const QueueState*>(&state)));
}

int64_t SchedulerCore::WaitingSamples(const QueueState& state) const {
  absl::MutexLock lock(&mutex_);
  return FairQueues::WaitingSamples(state);
}

int64_t SchedulerCore::MostUndivided(const QueueState& state, int64_t elements) const {
  absl::MutexLock lock(&mutex_);
  return FairQueues::MostUndivided(state, elements);
}

void SchedulerCore::Withdraw(Cancellation& cancellation) {
  Work work;
  Wakes wakes;
  {
    absl::MutexLock lock(&mutex_);
    queues_.WithdrawAll(cancellation, work);
    EndIfDone(wakes);
    ++guests_;
  }
  Wake(wakes);
  DoAsGuest(work);
}

void SchedulerCore::Drain() {
  std::vector<Callback> ready;
  Wakes wakes;
  {
    absl::MutexLock lock(&mutex_);
    queues_.Drain(ready);
    HandOut(options_.clock->Now(), wakes);
    EndIfDone(wakes);
  }
  Wake(wakes);
  CallAll(ready);
  absl::MutexLock join_lock(&join_mutex_);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  // Nothing waits any more; who took tasks out of their queues may still be answering them.
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &SchedulerCore::NoGuests));
}

void SchedulerCore::RunTimers() {
  Work work;
  Wakes wakes;
  {
    absl::MutexLock lock(&mutex_);
    const absl::Time now = options_.clock->Now();
    absl::Time until = absl::InfiniteFuture();
    queues_.Take(now, /*idle_workers=*/0, work, &until);
    if (armed_ <= now) armed_ = absl::InfiniteFuture();
    Arm(until, wakes);
    HandOut(now, wakes);
    EndIfDone(wakes);
    ++guests_;
  }
  Wake(wakes);
  DoAsGuest(work);
}

void SchedulerCore::AwaitIdle() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &SchedulerCore::AllIdle));
}

void SchedulerCore::ComputeBatches(Worker& worker) {
  execution::ExecutionContext::UseOneThread();
  // It begins as an idle one.
  worker.doorbell.Await();
  while (!worker.ended) {
    Do(worker.work, &worker.context);
    if (!NextWork(worker)) return;
  }
}

bool SchedulerCore::NextWork(Worker& worker) {
  std::vector<std::shared_ptr<QueueState>> retired;
  std::vector<Callback> space_freed;
  Wakes wakes;
  bool found = false;
  const absl::Time now = options_.clock->Now();
  {
    absl::MutexLock lock(&mutex_);
    queues_.Finish(worker.work, retired);
    absl::Time until = absl::InfiniteFuture();
    found = queues_.Take(now, IdleWorkers() + 1, worker.work, &until);
    if (!found) {
      space_freed.swap(worker.work.space_freed);
      Arm(until, wakes);
      Park(worker, wakes);
    }
    if (queues_.waiting_tasks() > 0) HandOut(now, wakes);
    EndIfDone(wakes);
  }
  Wake(wakes);
  CallAll(space_freed);
  retired.clear();
  if (!found) worker.doorbell.Await();
  return !worker.ended;
}

void SchedulerCore::ReturnPlace(Worker& worker) {
  std::vector<std::shared_ptr<QueueState>> retired;
  std::vector<Callback> space_freed;
  Wakes wakes;
  {
    absl::MutexLock lock(&mutex_);
    queues_.Finish(worker.work, retired);
    --guests_;
    space_freed.swap(worker.work.space_freed);
    // What waits is for the worker's own thread: this one has others to receive.
    Park(worker, wakes);
    if (queues_.waiting_tasks() > 0) HandOut(options_.clock->Now(), wakes);
    EndIfDone(wakes);
  }
  Wake(wakes);
  CallAll(space_freed);
}

void SchedulerCore::DoAsGuest(Work& work) {
  Do(work, /*context=*/nullptr);
  std::vector<std::shared_ptr<QueueState>> retired;
  absl::MutexLock lock(&mutex_);
  queues_.Finish(work, retired);
  --guests_;
}

void SchedulerCore::KeepTimers() {
  while (true) {
    RunTimers();
    absl::Duration patience;
    {
      absl::MutexLock lock(&mutex_);
      if (Ended()) return;
      patience = armed_ - options_.clock->Now();
    }
    timer_bell_.AwaitFor(patience);
  }
}

Worker* SchedulerCore::TakeIdle() {
  Worker* const worker = idle_.back();
  idle_.pop_back();
  return worker;
}

void SchedulerCore::HandOut(absl::Time now, Wakes& wakes) {
  while (!idle_.empty()) {
    absl::Time until = absl::InfiniteFuture();
    if (!queues_.Take(now, IdleWorkers(), idle_.back()->work, &until)) return Arm(until, wakes);
    wakes.Add(TakeIdle());
  }
}

void SchedulerCore::Park(Worker& worker, Wakes& wakes) {
  idle_.push_back(&worker);
  EndIfDone(wakes);
}

void SchedulerCore::EndIfDone(Wakes& wakes) {
  if (!Ended()) return;
  while (!idle_.empty()) {
    Worker* const worker = TakeIdle();
    worker->ended = true;
    wakes.Add(worker);
  }
  wakes.timer = true;
}

void SchedulerCore::Arm(absl::Time time, Wakes& wakes) {
  if (time >= armed_) return;
  armed_ = time;
  wakes.timer = true;
}

void SchedulerCore::Wake(const Wakes& wakes) {
  for (Worker* worker = wakes.workers; worker != nullptr;) {
    Worker* const next = worker->next_woken;  // a woken one belongs to its own thread
    worker->doorbell.Ring();
    worker = next;
  }
  if (wakes.timer) timer_bell_.Ring();
}

void SchedulerCore::Do(Work& work, execution::ExecutionContext* context) {
  CallAll(work.space_freed);
  if (!work.given_up.empty()) {
    const absl::Time now = options_.clock->Now();
    for (WaitingTask& waiting : work.given_up) {
      const QueueState& state = *waiting.state;
      AnswerGivenUp(*state.metrics, state.order.get(), now, std::move(waiting));
    }
  }
  if (work.state != nullptr) work.outcome = Compute(work, *context);
}

BatchOutcome SchedulerCore::Compute(Work& work, execution::ExecutionContext& context) {
  if (const std::shared_ptr<BatchRun> assisted = std::move(work.assisted); assisted != nullptr) {
    return assisted->RunParts(context, [this] { return !OthersWait(); });
  }
  QueueState& state = *work.state;
  if (work.helpers == 0) return RunBatch(state.target(), work.reason, *options_.clock, context, work.tasks);
  const int64_t parts = std::max(kPartsPerWorker * (work.helpers + 1), work.expected / kLongestPart);
  const auto run =
      std::make_shared<BatchRun>(state.target(), work.reason, *options_.clock, std::move(work.tasks), parts);
  run->Prepare();
  CallHelpers(state, run, static_cast<int>(std::min<int64_t>(work.helpers, run->parts_left() - 1)));
  return run->RunParts(context, [&] {
    // Helpers leave when others wait, and others become idle.
    if (run->parts_left() > 1) CallHelpers(state, run, work.helpers);
    return true;
  });
}

bool SchedulerCore::OthersWait() {
  absl::MutexLock lock(&mutex_);
  return queues_.HasWork(options_.clock->Now());
}

void SchedulerCore::CallHelpers(QueueState& state, const std::shared_ptr<BatchRun>& run, int helpers) {
  Wakes wakes;
  {
    absl::MutexLock lock(&mutex_);
    helpers = std::min({helpers, IdleWorkers(), queues_.FreeInstances(state)});
    for (int i = 0; i < helpers; ++i) {
      Worker* const worker = TakeIdle();
      queues_.Assist(state, run, worker->work);
      wakes.Add(worker);
    }
  }
  Wake(wakes);
}

}  // namespace internal
}  // namespace stillwave::batching
