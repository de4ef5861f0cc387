#include "client/stream_run.h"

#include <algorithm>
#include <thread>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/exit_code.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

constexpr int64_t kMaxReplayValues = int64_t{1} << 24;  // 64 MiB
constexpr absl::Duration kShortestBackoff = absl::Milliseconds(250);
constexpr absl::Duration kLongestBackoff = absl::Seconds(4);

}  // namespace

StreamRun::StreamRun(std::unique_ptr<WindowStream> stream, int64_t hop, SampleSource* source, StreamReport* report,
                     Interrupt* interrupt, Pace pace, ResumePlan resume)
    : stream_(std::move(stream)),
      hop_(hop),
      source_(source),
      report_(report),
      interrupt_(interrupt),
      pace_(pace),
      resume_(std::move(resume)),
      start_(absl::Now()),
      replay_(resume_.first_sample, source->channels(), kMaxReplayValues),
      next_window_sample_(resume_.first_sample),
      first_sample_of_call_(resume_.first_sample) {}

absl::Status StreamRun::Run(StreamSummary* summary) {
  absl::Status status = Attempt();
  while (MayResume(status)) {
    status = Resume(status);
    if (!status.ok() || interrupt_->raised()) break;
    status = Attempt();
  }
  summary->windows = report_->windows();
  summary->gaps = report_->gaps();
  summary->samples_sent = samples_sent_;
  summary->bytes_sent = samples_sent_ * source_->channels() * static_cast<int64_t>(sizeof(float));
  summary->partial_samples = closed_.has_value() ? closed_->partial_samples : 0;
  summary->resumed = resumed_;
  summary->elapsed = Elapsed();
  summary->interrupted = interrupt_->raised();
  return status;
}

absl::Status StreamRun::Attempt() {
  absl::Status read_status;
  reading_ended_ = false;
  server_window_offset_.reset();
  first_sample_of_call_ = next_window_sample_;
  std::thread reader([this, &read_status] {
    read_status = ReadAll();
    reading_ended_ = true;
    interrupt_->WakeUp();  // the sender may be waiting for a line that nobody needs any more
  });
  const absl::Status send_status = SendAll();
  source_failed_ = !send_status.ok();
  stream_->Finish();
  reader.join();
  interrupt_->ForgetWakeUp();
  // The server's word explains a failed sending, not the other way round.
  return read_status.ok() ? send_status : read_status;
}

bool StreamRun::MayResume(const absl::Status& status) const {
  return absl::IsUnavailable(status) && resume_.reopen != nullptr && !source_failed_ && !interrupt_->raised() &&
         !closed_.has_value();
}

absl::Status StreamRun::Resume(const absl::Status& reason) {
  if (next_window_sample_ < replay_.begin()) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot go on at sample ", next_window_sample_, ": more than ", kMaxReplayValues,
                     " values wait for an answer, only those from sample ", replay_.begin(), " on are kept"));
  }
  report_->OnLost(next_window_, reason);
  // A server that takes the series and breaks off again is no end of the outage.
  if (lost_at_window_ != next_window_) {
    lost_at_window_ = next_window_;
    give_up_at_ = absl::Now() + resume_.patience;
    backoff_ = kShortestBackoff;
  }
  while (absl::Now() < give_up_at_) {
    // Ctrl-C: nothing more is due from a server that is not there.
    if (interrupt_->Wait(/*fd=*/-1, absl::Now() + backoff_) == Interrupt::Wake::kWoken) return absl::OkStatus();
    backoff_ = std::min(2 * backoff_, kLongestBackoff);
    absl::StatusOr<std::unique_ptr<WindowStream>> stream = resume_.reopen(next_window_sample_, next_window_);
    if (stream.ok()) {
      stream_ = *std::move(stream);
      ++resumed_;
      report_->OnResumed(next_window_);
      return absl::OkStatus();
    }
    if (!absl::IsUnavailable(stream.status())) return stream.status();
  }
  return MakeError(ExitCode::kUnreachable, absl::StrCat("gave up after ", absl::FormatDuration(resume_.patience),
                                                        " without an answer: ", reason.message()));
}

absl::Status StreamRun::SendAll() {
  if (!SendAgain()) return absl::OkStatus();
  while (!interrupt_->raised() && !reading_ended_) {
    ASSIGN_OR_RETURN(const absl::Span<const float> chunk, source_->Next(pace_.chunk_samples));
    if (chunk.empty()) break;
    replay_.Append(chunk);
    report_->OnSamples(chunk);
    if (!SendNew(chunk)) break;
  }
  return absl::OkStatus();
}

bool StreamRun::SendAgain() {
  int64_t sample = first_sample_of_call_;
  while (sample < replay_.end()) {
    const std::vector<float> chunk = replay_.From(sample, pace_.chunk_samples);
    if (interrupt_->raised() || reading_ended_ || !stream_->Send(chunk)) return false;
    sample += static_cast<int64_t>(chunk.size()) / source_->channels();
  }
  return true;
}

bool StreamRun::SendNew(absl::Span<const float> chunk) {
  const int64_t samples = static_cast<int64_t>(chunk.size()) / source_->channels();
  // The first sample of a resumed series may lie ahead, where the hop is longer than the window.
  const int64_t begin = resume_.first_sample + samples_sent_;
  const bool turn = WaitForTurn(samples);
  if (interrupt_->raised()) return false;
  samples_sent_ += samples;
  if (!turn) return false;
  const int64_t ahead = std::clamp<int64_t>(first_sample_of_call_ - begin, 0, samples);
  return ahead == samples || stream_->Send(chunk.subspan(static_cast<size_t>(ahead * source_->channels())));
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
    absl::Status status = event.ok() ? Handle(**std::move(event)) : event.status();
    if (!status.ok()) {
      stream_->Cancel();  // the sender may be held by a flow control that nobody will loosen
      return status;
    }
    report_->Update(samples_sent_, Elapsed());
  }
}

absl::Status StreamRun::Handle(StreamEvent event) {
  if (auto* row = std::get_if<ResultRow>(&event)) return HandleWindow(std::move(*row));
  if (const auto* gap = std::get_if<SeriesGap>(&event)) report_->OnGap(*gap);
  if (const auto* closed = std::get_if<SeriesClosed>(&event)) closed_ = *closed;
  if (std::holds_alternative<Draining>(event)) report_->OnDraining();
  return absl::OkStatus();
}

absl::Status StreamRun::HandleWindow(ResultRow row) {
  // Servers that do not know first_window_index begin again with 0.
  if (!server_window_offset_.has_value()) server_window_offset_ = next_window_ - row.index;
  row.index += *server_window_offset_;
  RETURN_IF_ERROR(report_->OnWindow(row));
  next_window_ = row.index + 1;
  if (row.samples.has_value()) {
    next_window_sample_ = row.samples->first + hop_;
    replay_.DropBefore(std::min(next_window_sample_, row.samples->last + 1));
  }
  return absl::OkStatus();
}

absl::Duration StreamRun::Elapsed() const { return absl::Now() - start_; }

}  // namespace stillwave::client
