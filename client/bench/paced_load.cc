#include "client/bench/paced_load.h"

#include <algorithm>

#include "client/bench/next_event.h"
#include "server/base/check.h"

namespace stillwave::client::bench {
namespace {

constexpr int kEventsAtOnce = 64;

// Windows that are complete with the first `samples` samples.
int64_t CompleteWindows(int64_t samples, const SeriesSamples& shape) {
  return samples < shape.window ? 0 : (samples - shape.window) / shape.hop + 1;
}

}  // namespace

PacedWorker::PacedWorker(const LoadOptions& options, const StreamLoad& load, const SampleRing* ring, int index,
                         const Channels& channels)
    : options_(options),
      load_(load),
      ring_(ring),
      index_(index),
      calls_(load, index, options.threads, channels, &queue_),
      chunks_sent_(calls_.series().size()) {
  SW_CHECK(options.sample_rate > 0 && options.chunk_samples > 0);
}

Tick PacedWorker::DueAfter(size_t series, int64_t number) const {
  // Neighbours of one thread are `threads` apart among all.
  const double place =
      static_cast<double>(static_cast<int64_t>(series) * options_.threads + index_) / static_cast<double>(load_.series);
  const double samples =
      place * static_cast<double>(load_.samples->hop) + static_cast<double>((number + 1) * options_.chunk_samples);
  return static_cast<Tick>(samples / options_.sample_rate * 1e9);
}

void PacedWorker::Run(LoadPlan* plan, LoadRecorder* recorder) {
  calls_.SetRecorder(recorder);
  for (size_t series = 0; series < chunks_sent_.size(); ++series) {
    next_.push({plan->start() + DueAfter(series, 0), series});
  }
  bool hung_up = false;
  bool cancelled = false;
  while (!calls_.AllEnded()) {
    if (!hung_up && !SendDue(plan, recorder)) {
      calls_.HangUp();
      hung_up = true;
    }
    if (plan->interrupted() && !cancelled) {
      calls_.CancelAll();
      cancelled = true;
    }
    const Tick wake = hung_up || next_.empty() ? kNever : next_.top().due;
    const SeriesEvent* event = CallSet::Await(&queue_, std::min(wake, Now() + kWaitTicks));
    // What has come meanwhile is taken at once: looking whether all calls have ended costs more than an event.
    for (int taken = 0; event != nullptr && taken < kEventsAtOnce; ++taken) {
      calls_.Handle(*event);
      event = taken + 1 < kEventsAtOnce ? CallSet::Await(&queue_, 0) : nullptr;
    }
  }
}

bool PacedWorker::SendDue(LoadPlan* plan, LoadRecorder* recorder) {
  const Tick now = Now();
  while (!next_.empty() && next_.top().due <= now) {
    const NextChunk chunk = next_.top();
    if (plan->interrupted() || chunk.due >= plan->measure_until()) return false;
    next_.pop();
    SendChunk(chunk, plan, recorder);
  }
  return !plan->interrupted() && !next_.empty() && next_.top().due < plan->measure_until();
}

void PacedWorker::SendChunk(const NextChunk& chunk, LoadPlan* plan, LoadRecorder* recorder) {
  const auto [call, index] = calls_.series()[chunk.series];
  if (!call->CanSend(index)) return;  // the server has ended it, and was counted as an error
  int64_t& sent = chunks_sent_[chunk.series];
  const int64_t before = sent * options_.chunk_samples;
  ++sent;
  windows_.clear();
  const int64_t complete =
      CompleteWindows(before + options_.chunk_samples, *load_.samples) - CompleteWindows(before, *load_.samples);
  for (int64_t i = 0; i < complete; ++i) {
    windows_.push_back({plan->Take(chunk.due), chunk.due});
    recorder->SentLate(windows_.back(), absl::Nanoseconds(Now() - chunk.due));
  }
  // Series begin at different places, or all windows would be alike.
  const int64_t at = before + static_cast<int64_t>(chunk.series) * options_.chunk_samples;
  call->SendSamples(index, ring_->At(at, options_.chunk_samples), windows_);
  next_.push({plan->start() + DueAfter(chunk.series, sent), chunk.series});
}

}  // namespace stillwave::client::bench
