#include "client/bench/series_call.h"

#include <numeric>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/grpc_status.h"
#include "server/base/check.h"

namespace stillwave::client::bench {
namespace {

using Kind = SeriesEvent::Kind;

// 0 would be no error at all: a server that says so is broken.
absl::StatusCode CodeOf(const v1::SeriesError& error) {
  return error.code() == 0 ? absl::StatusCode::kInternal : static_cast<absl::StatusCode>(error.code());
}

}  // namespace

SeriesCall::SeriesCall(const std::shared_ptr<grpc::Channel>& channel, grpc::CompletionQueue* queue,
                       const std::string& model, const std::string& version, int64_t count,
                       const SeriesSamples* samples)
    : samples_(samples),
      series_(static_cast<size_t>(count)),
      model_(model),
      version_(version),
      stub_(v1::TimeSeriesService::NewStub(channel)) {
  for (const Kind kind : {Kind::kStarted, Kind::kRead, Kind::kWritten, Kind::kClosed, Kind::kFinished}) {
    events_[static_cast<size_t>(kind)] = {this, kind};
  }
  for (int64_t i = 0; i < count; ++i) to_write_.push_back({.series = i});
  stream_ = stub_->PrepareAsyncStreamWindows(&context_, queue);
  stream_->StartCall(&events_[static_cast<size_t>(Kind::kStarted)]);
}

bool SeriesCall::CanSend(int64_t series) const {
  return !ended_ && !closed_ && !hanging_up_ && series_[static_cast<size_t>(series)].open;
}

void SeriesCall::Send(int64_t index, absl::Span<const PendingRequest> windows) {
  SW_CHECK(static_cast<int64_t>(windows.size()) == NextWindows(index));
  Series& series = series_[static_cast<size_t>(index)];
  const bool whole_window = !series.began;
  series.began = true;
  const std::vector<float>& piece =
      whole_window ? samples_->first : samples_->next[series.next_piece++ % samples_->next.size()];
  SendSamples(index, piece, windows);
}

void SeriesCall::SendSamples(int64_t index, absl::Span<const float> samples, absl::Span<const PendingRequest> windows) {
  SW_CHECK(CanSend(index) && recorder_ != nullptr && !samples.empty());
  Series& series = series_[static_cast<size_t>(index)];
  for (const PendingRequest& window : windows) {
    recorder_->Sent(window);
    series.in_flight.push_back(window);
  }
  to_write_.push_back({index, samples});
  WriteNext();
}

void SeriesCall::Encode(const Outgoing& outgoing) {
  if (outgoing.samples.empty()) {
    v1::OpenSeries& open = *request_.mutable_open();
    open.Clear();
    open.set_series_id(absl::StrCat(outgoing.series));
    open.set_model_name(model_);
    open.set_model_version(version_);
    open.set_window_length(samples_->window);
    open.set_hop(samples_->hop);
    open.set_layout(v1::SAMPLE_LAYOUT_SAMPLES_FIRST);
    return;
  }
  v1::SampleChunk& chunk = *request_.mutable_chunk();
  chunk.set_series_id(absl::StrCat(outgoing.series));
  chunk.set_fp32_samples(outgoing.samples.data(), outgoing.samples.size() * sizeof(float));
}

void SeriesCall::HangUp() {
  hanging_up_ = true;
  WriteNext();
}

void SeriesCall::Cancel() {
  cancelled_ = true;
  context_.TryCancel();
}

void SeriesCall::WriteNext() {
  if (!started_ || writing_ || closed_) return;
  if (!to_write_.empty()) {
    writing_ = true;
    Encode(to_write_.front());
    to_write_.pop_front();
    // What follows at once may go out with it.
    grpc::WriteOptions options;
    if (!to_write_.empty()) options.set_buffer_hint();
    stream_->Write(request_, options, &events_[static_cast<size_t>(Kind::kWritten)]);
  } else if (hanging_up_) {
    closed_ = true;
    stream_->WritesDone(&events_[static_cast<size_t>(Kind::kClosed)]);
  }
}

void SeriesCall::Read() { stream_->Read(&response_, &events_[static_cast<size_t>(Kind::kRead)]); }

int64_t SeriesCall::Handle(Kind kind, bool ok) {
  switch (kind) {
    case Kind::kStarted:
      // When it did not start, the first Read fails and Finish has the reason.
      started_ = true;
      closed_ = !ok;
      Read();
      WriteNext();
      return -1;
    case Kind::kWritten:
      writing_ = false;
      if (!ok) closed_ = true;
      WriteNext();
      return -1;
    case Kind::kRead: {
      if (!ok) {
        closed_ = true;
        stream_->Finish(&grpc_status_, &events_[static_cast<size_t>(Kind::kFinished)]);
        return -1;
      }
      const int64_t answered = HandleResponse();
      Read();
      return answered;
    }
    case Kind::kClosed:
      return -1;
    case Kind::kFinished:
      End();
      return -1;
  }
  return -1;
}

int64_t SeriesCall::HandleResponse() {
  int64_t index = -1;
  switch (response_.response_case()) {
    case v1::StreamWindowsResponse::kOpened:
      if (Series* const series = Find(response_.opened().series_id(), &index)) {
        if (!series->open) ++opened_;
        series->open = true;
      }
      return -1;
    case v1::StreamWindowsResponse::kWindow: {
      Series* const series = Find(response_.window().series_id(), &index);
      if (series == nullptr || series->in_flight.empty()) {
        Fail(nullptr, absl::InternalError("the server answered a window that was not sent"));
        return -1;
      }
      recorder_->Answered(series->in_flight.front(), Now(), absl::StatusCode::kOk, "");
      series->in_flight.pop_front();
      return index;
    }
    case v1::StreamWindowsResponse::kError: {
      const absl::Status status(CodeOf(response_.error()), response_.error().message());
      Fail(Find(response_.error().series_id(), &index), status);
      return -1;
    }
    default:
      return -1;  // gaps cannot be, closings and Draining are followed by the call's end
  }
}

SeriesCall::Series* SeriesCall::Find(const std::string& id, int64_t* index) {
  if (!absl::SimpleAtoi(id, index) || *index < 0 || *index >= static_cast<int64_t>(series_.size())) return nullptr;
  return &series_[static_cast<size_t>(*index)];
}

// Of one series, or of all when it is null.
void SeriesCall::Fail(Series* failed, const absl::Status& status) {
  if (status_.ok()) status_ = status;
  if (failed == nullptr) Cancel();
  for (Series& series : series_) {
    if (failed != nullptr && failed != &series) continue;
    series.open = false;
    for (const PendingRequest& request : series.in_flight) {
      recorder_->Answered(request, Now(), status.code(), std::string(status.message()));
    }
    series.in_flight.clear();
  }
}

void SeriesCall::End() {
  ended_ = true;
  const absl::Status status = FromGrpcStatus(grpc_status_);
  if (status_.ok()) status_ = status;
  for (Series& series : series_) {
    series.open = false;
    for (const PendingRequest& request : series.in_flight) {
      if (cancelled_) {
        recorder_->Abandoned(request);
      } else {
        const absl::Status reason = status.ok() ? absl::InternalError("the call ended without this answer") : status;
        recorder_->Answered(request, Now(), reason.code(), std::string(reason.message()));
      }
    }
    series.in_flight.clear();
  }
}

int64_t SeriesCall::in_flight() const {
  return std::accumulate(series_.begin(), series_.end(), int64_t{0}, [](int64_t sum, const Series& series) {
    return sum + static_cast<int64_t>(series.in_flight.size());
  });
}

}  // namespace stillwave::client::bench
