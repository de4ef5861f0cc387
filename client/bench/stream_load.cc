#include "client/bench/stream_load.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "client/bench/next_event.h"
#include "client/bench/open_loop_sender.h"

namespace stillwave::client::bench {

StreamWorker::StreamWorker(const LoadOptions& options, const StreamLoad& load, int index, const Channels& channels)
    : options_(options), index_(index), calls_(load, index, options.threads, channels, &queue_) {}

StreamWorker::~StreamWorker() {
  absl::MutexLock lock(&mutex_);
  calls_.ShutDown();
}

// Nobody else is there yet.
absl::Status StreamWorker::Prepare() {
  absl::MutexLock lock(&mutex_);
  return calls_.AwaitOpened(options_.timeout);
}

void StreamWorker::Run(LoadPlan* plan, LoadRecorder* recorder) {
  plan_ = plan;
  recorder_ = recorder;
  {
    absl::MutexLock lock(&mutex_);
    calls_.SetRecorder(recorder);
  }
  std::thread sender;
  std::atomic<bool> sending{options_.open_loop()};
  if (options_.open_loop()) {
    sender = std::thread([this, &sending] {
      ArrivalSchedule schedule(options_.arrivals, options_.rate / options_.threads,
                               options_.seed * 1'000'003 + static_cast<uint64_t>(index_),
                               static_cast<double>(index_) / options_.threads);
      SendOnSchedule(schedule, plan_, [this](Ticket ticket, Tick due) { return SendDue(ticket, due); });
      sending = false;
    });
  } else {
    SendNextOfAll();
  }
  bool hung_up = false;
  bool cancelled = false;
  while (!AllEnded()) {
    if (!hung_up && !sending && (options_.open_loop() || over_ || NobodyToSendTo())) {
      absl::MutexLock lock(&mutex_);
      calls_.HangUp();
      hung_up = true;
    }
    if (plan_->interrupted() && !cancelled) {
      absl::MutexLock lock(&mutex_);
      calls_.CancelAll();
      cancelled = true;
    }
    HandleEvent();
  }
  if (sender.joinable()) sender.join();
}

// Series take turns; those that the server ended are passed over.
bool StreamWorker::SendDue(Ticket ticket, Tick due) {
  absl::MutexLock lock(&mutex_);
  while (!mutex_.AwaitWithTimeout(absl::Condition(this, &StreamWorker::HasRoom), absl::Milliseconds(kWaitMillis))) {
    if (!plan_->interrupted() && Now() < plan_->measure_until()) continue;
    recorder_->NotSent({ticket, due});
    return !plan_->interrupted();  // the rest of the schedule is only counted
  }
  for (size_t i = 0; i < calls_.series().size(); ++i) {
    const auto [call, series] = calls_.series()[next_series_++ % calls_.series().size()];
    if (!call->CanSend(series)) continue;
    recorder_->SentLate({ticket, due}, absl::Nanoseconds(Now() - due));
    call->Send(series, {{ticket, due}});
    return true;
  }
  return false;
}

bool StreamWorker::HasRoom() const {
  return calls_.in_flight() < std::max<int64_t>(1, options_.max_in_flight / options_.threads);
}

void StreamWorker::SendNextOfAll() {
  absl::MutexLock lock(&mutex_);
  for (const auto& [call, series] : calls_.series()) SendNext(call, series);
}

// Closed loop.
void StreamWorker::SendNext(SeriesCall* call, int64_t series) {
  if (!call->CanSend(series) || call->AwaitsAnswers(series)) return;
  const Tick now = Now();
  std::vector<PendingRequest> windows;
  for (int64_t i = 0; i < call->NextWindows(series); ++i) {
    Ticket ticket = plan_->Take(now);
    if (ticket == Ticket::kOver && i == 0) {
      over_ = true;
      return;
    }
    // A message goes out whole.
    if (ticket == Ticket::kOver) ticket = Ticket::kSurplus;
    windows.push_back({ticket, now});
  }
  call->Send(series, windows);
}

void StreamWorker::HandleEvent() {
  const SeriesEvent* const event = CallSet::Await(&queue_, Now() + kWaitTicks);
  if (event == nullptr) return;
  absl::MutexLock lock(&mutex_);
  const auto [call, series] = calls_.Handle(*event);
  if (call != nullptr && !options_.open_loop()) SendNext(call, series);
}

bool StreamWorker::AllEnded() {
  absl::MutexLock lock(&mutex_);
  return calls_.AllEnded();
}

bool StreamWorker::NobodyToSendTo() {
  absl::MutexLock lock(&mutex_);
  return std::none_of(calls_.series().begin(), calls_.series().end(),
                      [](const auto& entry) { return entry.first->CanSend(entry.second); });
}

}  // namespace stillwave::client::bench
