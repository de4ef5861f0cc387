#include "client/bench/stream_load.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>
#include <utility>

#include "client/bench/next_event.h"
#include "client/bench/open_loop_sender.h"
#include "client/bench/series_call.h"
#include "server/base/check.h"

namespace stillwave::client::bench {

StreamWorker::StreamWorker(const LoadOptions& options, const StreamLoad& load, int index, const Channels& channels)
    : options_(options), index_(index) {
  SW_CHECK(!channels.empty() && load.series_per_call > 0 && load.samples != nullptr);
  absl::MutexLock lock(&mutex_);
  // Whole calls are dealt out to the threads in turns.
  const int64_t calls = (load.series + load.series_per_call - 1) / load.series_per_call;
  for (int64_t call = index; call < calls; call += options.threads) {
    const int64_t count = std::min(load.series_per_call, load.series - call * load.series_per_call);
    calls_.push_back(std::make_unique<SeriesCall>(channels[static_cast<size_t>(call) % channels.size()], &queue_,
                                                  load.model, load.version, count, load.samples));
    for (int64_t i = 0; i < count; ++i) series_.emplace_back(calls_.back().get(), i);
  }
}

StreamWorker::~StreamWorker() {
  CancelAll();
  while (!AllEnded()) HandleEvent();
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

absl::Status StreamWorker::Prepare() {
  const Tick deadline = Now() + absl::ToInt64Nanoseconds(options_.timeout);
  while (!AllOpened()) {
    HandleEvent();
    absl::MutexLock lock(&mutex_);
    for (const auto& call : calls_) {
      if (!call->status().ok()) return call->status();
      if (call->ended()) return absl::UnavailableError("the server ended the stream before the series were open");
    }
    if (Now() > deadline) return absl::DeadlineExceededError("the series were not open in time");
  }
  return absl::OkStatus();
}

void StreamWorker::Run(LoadPlan* plan, LoadRecorder* recorder) {
  plan_ = plan;
  recorder_ = recorder;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& call : calls_) call->set_recorder(recorder);
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
      HangUp();
      hung_up = true;
    }
    if (plan_->interrupted() && !cancelled) {
      CancelAll();
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
  for (size_t i = 0; i < series_.size(); ++i) {
    const auto [call, series] = series_[next_series_++ % series_.size()];
    if (!call->CanSend(series)) continue;
    recorder_->SentLate({ticket, due}, absl::Nanoseconds(Now() - due));
    call->Send(series, {ticket, due});
    return true;
  }
  return false;
}

bool StreamWorker::HasRoom() const {
  const int64_t in_flight = std::accumulate(calls_.begin(), calls_.end(), int64_t{0},
                                            [](int64_t sum, const auto& call) { return sum + call->in_flight(); });
  return in_flight < std::max<int64_t>(1, options_.max_in_flight / options_.threads);
}

void StreamWorker::SendNextOfAll() {
  absl::MutexLock lock(&mutex_);
  for (const auto& [call, series] : series_) SendNext(call, series);
}

// Closed loop.
void StreamWorker::SendNext(SeriesCall* call, int64_t series) {
  if (!call->CanSend(series)) return;
  const Tick now = Now();
  const Ticket ticket = plan_->Take(now);
  if (ticket == Ticket::kOver) {
    over_ = true;
  } else {
    call->Send(series, {ticket, now});
  }
}

void StreamWorker::HandleEvent() {
  void* tag = nullptr;
  bool ok = false;
  if (!NextEvent(&queue_, &tag, &ok)) return;
  const SeriesEvent& event = *static_cast<SeriesEvent*>(tag);
  absl::MutexLock lock(&mutex_);
  const int64_t answered = event.call->Handle(event.kind, ok);
  if (answered >= 0 && !options_.open_loop()) SendNext(event.call, answered);
}

void StreamWorker::HangUp() {
  absl::MutexLock lock(&mutex_);
  for (const auto& call : calls_) call->HangUp();
}

void StreamWorker::CancelAll() {
  absl::MutexLock lock(&mutex_);
  for (const auto& call : calls_) call->Cancel();
}

bool StreamWorker::AllEnded() {
  absl::MutexLock lock(&mutex_);
  return std::all_of(calls_.begin(), calls_.end(), [](const auto& call) { return call->ended(); });
}

bool StreamWorker::AllOpened() {
  absl::MutexLock lock(&mutex_);
  return std::all_of(calls_.begin(), calls_.end(), [](const auto& call) { return call->opened(); });
}

bool StreamWorker::NobodyToSendTo() {
  absl::MutexLock lock(&mutex_);
  return std::none_of(series_.begin(), series_.end(),
                      [](const auto& entry) { return entry.first->CanSend(entry.second); });
}

}  // namespace stillwave::client::bench
