#include "client/bench/call_set.h"

#include <algorithm>
#include <numeric>

#include "client/bench/next_event.h"
#include "server/base/check.h"

namespace stillwave::client::bench {

CallSet::CallSet(const StreamLoad& load, int index, int threads, const Channels& channels, grpc::CompletionQueue* queue)
    : queue_(queue) {
  SW_CHECK(!channels.empty() && load.series_per_call > 0 && load.samples != nullptr);
  const int64_t calls = (load.series + load.series_per_call - 1) / load.series_per_call;
  for (int64_t call = index; call < calls; call += threads) {
    const int64_t count = std::min(load.series_per_call, load.series - call * load.series_per_call);
    calls_.push_back(std::make_unique<SeriesCall>(channels[static_cast<size_t>(call) % channels.size()], queue,
                                                  load.model, load.version, count, load.samples));
    for (int64_t i = 0; i < count; ++i) series_.emplace_back(calls_.back().get(), i);
  }
}

const SeriesEvent* CallSet::Await(grpc::CompletionQueue* queue, Tick until) {
  void* tag = nullptr;
  bool ok = false;
  if (!NextEventUntil(queue, until, &tag, &ok)) return nullptr;
  SeriesEvent* const event = static_cast<SeriesEvent*>(tag);
  event->ok = ok;
  return event;
}

SeriesPlace CallSet::Handle(const SeriesEvent& event) {
  const int64_t answered = event.call->Handle(event.kind, event.ok);
  return answered >= 0 ? SeriesPlace(event.call, answered) : SeriesPlace(nullptr, -1);
}

absl::Status CallSet::AwaitOpened(absl::Duration timeout) {
  const Tick deadline = Now() + absl::ToInt64Nanoseconds(timeout);
  while (!std::all_of(calls_.begin(), calls_.end(), [](const auto& call) { return call->opened(); })) {
    if (const SeriesEvent* event = Await(queue_, Now() + kWaitTicks)) Handle(*event);
    for (const auto& call : calls_) {
      if (!call->status().ok()) return call->status();
      if (call->ended()) return absl::UnavailableError("the server ended the stream before the series were open");
    }
    if (Now() > deadline) return absl::DeadlineExceededError("the series were not open in time");
  }
  return absl::OkStatus();
}

void CallSet::SetRecorder(LoadRecorder* recorder) {
  for (const auto& call : calls_) call->set_recorder(recorder);
}

void CallSet::HangUp() {
  for (const auto& call : calls_) call->HangUp();
}

void CallSet::CancelAll() {
  for (const auto& call : calls_) call->Cancel();
}

bool CallSet::AllEnded() const {
  return std::all_of(calls_.begin(), calls_.end(), [](const auto& call) { return call->ended(); });
}

int64_t CallSet::in_flight() const {
  return std::accumulate(calls_.begin(), calls_.end(), int64_t{0},
                         [](int64_t sum, const auto& call) { return sum + call->in_flight(); });
}

void CallSet::ShutDown() {
  CancelAll();
  while (!AllEnded()) {
    if (const SeriesEvent* event = Await(queue_, Now() + kWaitTicks)) Handle(*event);
  }
  queue_->Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) {
  }
}

}  // namespace stillwave::client::bench
