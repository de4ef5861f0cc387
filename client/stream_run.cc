#include "client/stream_run.h"

#include <thread>
#include <utility>
#include <variant>

#include "absl/time/clock.h"
#include "server/base/status_macros.h"

namespace stillwave::client {

StreamRun::StreamRun(WindowStream* stream, SampleSource* source, StreamReport* report, Interrupt* interrupt, Pace pace)
    : stream_(stream), source_(source), report_(report), interrupt_(interrupt), pace_(pace), start_(absl::Now()) {}

absl::Status StreamRun::Run(StreamSummary* summary) {
  absl::Status read_status;
  std::thread reader([this, &read_status] {
    read_status = ReadAll();
    reading_ended_ = true;
    interrupt_->WakeUp();  // the sender may be waiting for a line that nobody needs any more
  });
  const absl::Status send_status = SendAll();
  stream_->Finish();
  reader.join();

  summary->windows = report_->windows();
  summary->gaps = report_->gaps();
  summary->samples_sent = samples_sent_;
  summary->bytes_sent = samples_sent_ * source_->channels() * static_cast<int64_t>(sizeof(float));
  summary->partial_samples = closed_.has_value() ? closed_->partial_samples : 0;
  summary->elapsed = Elapsed();
  summary->interrupted = interrupt_->raised();
  // The server's word explains a failed sending, not the other way round.
  return read_status.ok() ? send_status : read_status;
}

absl::Status StreamRun::SendAll() {
  while (!interrupt_->raised() && !reading_ended_) {
    ASSIGN_OR_RETURN(const absl::Span<const float> chunk, source_->Next(pace_.chunk_samples));
    const int64_t samples = static_cast<int64_t>(chunk.size()) / source_->channels();
    if (samples == 0 || !WaitForTurn(samples) || !stream_->Send(chunk)) break;
    samples_sent_ += samples;
  }
  return absl::OkStatus();
}

bool StreamRun::WaitForTurn(int64_t samples) {
  if (pace_.realtime_rate_hz <= 0) return true;
  // A chunk is there when its last sample is.
  const double due = static_cast<double>(samples_sent_ + samples) / pace_.realtime_rate_hz;
  return interrupt_->Wait(/*fd=*/-1, start_ + absl::Seconds(due)) == Interrupt::Wake::kTimeout;
}

absl::Status StreamRun::ReadAll() {
  while (true) {
    absl::StatusOr<std::optional<StreamEvent>> event = stream_->Read();
    if (event.ok() && !event->has_value()) return absl::OkStatus();
    absl::Status status = event.ok() ? Handle(**event) : event.status();
    if (!status.ok()) {
      stream_->Cancel();  // the sender may be held by a flow control that nobody will loosen
      return status;
    }
    report_->Update(samples_sent_, Elapsed());
  }
}

absl::Status StreamRun::Handle(const StreamEvent& event) {
  if (const auto* row = std::get_if<ResultRow>(&event)) return report_->OnWindow(*row);
  if (const auto* gap = std::get_if<SeriesGap>(&event)) report_->OnGap(*gap);
  if (const auto* closed = std::get_if<SeriesClosed>(&event)) closed_ = *closed;
  if (std::holds_alternative<Draining>(event)) report_->OnDraining();
  return absl::OkStatus();
}

absl::Duration StreamRun::Elapsed() const { return absl::Now() - start_; }

}  // namespace stillwave::client
