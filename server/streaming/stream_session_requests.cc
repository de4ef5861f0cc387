// How StreamSession handles the client's requests.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/streaming/stream_responses.h"
#include "server/streaming/stream_session.h"

namespace stillwave::streaming {
namespace {

const std::string& SeriesIdOf(const v1::StreamWindowsRequest& request) {
  switch (request.request_case()) {
    case v1::StreamWindowsRequest::kOpen:
      return request.open().series_id();
    case v1::StreamWindowsRequest::kChunk:
      return request.chunk().series_id();
    case v1::StreamWindowsRequest::kClose:
    case v1::StreamWindowsRequest::REQUEST_NOT_SET:
      break;
  }
  return request.close().series_id();  // "" where there is none
}

}  // namespace

void StreamSession::Enqueue(v1::StreamWindowsRequest request) {
  const std::string& id = SeriesIdOf(request);
  auto found = queues_.find(id);
  if (found == queues_.end()) {
    found = queues_.emplace(id, std::make_shared<SeriesQueue>()).first;
    found->second->id = id;
  }
  PendingRequest pending;
  pending.bytes = static_cast<int64_t>(request.ByteSizeLong());
  pending.request = std::move(request);
  pending.received = options_.clock->Now();
  ++pending_requests_;
  pending_bytes_ += pending.bytes;
  found->second->requests.push_back(std::move(pending));
  MakeReady(found->second);
}

void StreamSession::DropFirst(SeriesQueue& queue) {
  --pending_requests_;
  pending_bytes_ -= queue.requests.front().bytes;
  queue.requests.pop_front();
  CloseAtEnd(queue);
}

void StreamSession::CloseAtEnd(SeriesQueue& queue) {
  if (!half_closed_ || !queue.requests.empty()) return;
  if (queue.series == nullptr || queue.series->state() != Series::State::kOpen) return;
  PendingRequest close;
  close.request.mutable_close()->set_series_id(queue.id);
  close.received = options_.clock->Now();
  ++pending_requests_;
  queue.requests.push_back(std::move(close));
}

void StreamSession::MakeReady(const QueuePtr& queue) {
  if (queue->ready || queue->submitting || queue->requests.empty()) return;
  queue->ready = true;
  ready_.push_back(queue);
}

void StreamSession::ForgetIfIdle(const QueuePtr& queue) {
  if (!queue->idle()) return;
  const auto found = queues_.find(queue->id);
  if (found != queues_.end() && found->second == queue) queues_.erase(found);
}

StreamSession::Outcome StreamSession::Handle(const QueuePtr& queue) {
  PendingRequest& pending = queue->requests.front();
  switch (pending.request.request_case()) {
    case v1::StreamWindowsRequest::kOpen:
      return HandleOpen(queue, pending.request.open());
    case v1::StreamWindowsRequest::kChunk:
      return HandleChunk(queue, pending);
    case v1::StreamWindowsRequest::kClose:
      return HandleClose(queue, pending);
    case v1::StreamWindowsRequest::REQUEST_NOT_SET:
      break;
  }
  Post(
      ErrorResponse(/*series_id=*/"", absl::InvalidArgumentError("request must hold open, chunk or close; was empty")));
  return Outcome::kHandled;
}

StreamSession::Outcome StreamSession::HandleOpen(const QueuePtr& queue, const v1::OpenSeries& open) {
  if (queue->series != nullptr) {
    // One that ends makes room for its successor when its last response has its place in the outbox.
    if (queue->series->state() != Series::State::kOpen) return Outcome::kWaits;
    queue->series->Fail(absl::AlreadyExistsError(absl::StrCat("series '", open.series_id(), "' is open already")));
    Flush(queue);
    return Outcome::kHandled;
  }
  absl::StatusOr<SeriesInfo> info = Admit(open);
  if (!info.ok()) {
    CountSeriesEnd(metrics_->unknown_model(), info.status().code());
    RememberFailed(open.series_id());
    Post(ErrorResponse(open.series_id(), info.status()));
    return Outcome::kHandled;
  }
  std::erase(failed_ids_, open.series_id());
  info->model.metrics->stream_series->Increment();
  info->model.metrics->stream_series_bytes->Increment(static_cast<double>(info->MemoryBytes()));
  ++open_series_;
  Post(OpenedResponse(*info));
  queue->series = std::make_shared<Series>(*std::move(info));
  return Outcome::kHandled;
}

absl::StatusOr<SeriesInfo> StreamSession::Admit(const v1::OpenSeries& open) {
  if (open_series_ >= options_.max_series) {
    metrics_->unknown_model().CountRejection(metrics::Rejection::kTooManySeries);
    return absl::ResourceExhaustedError(
        absl::StrCat("series of one stream must be at most ", options_.max_series, "; so many are open"));
  }
  return ResolveSeries(open, source_, options_.limits);
}

std::optional<StreamSession::Outcome> StreamSession::UnlessOpen(SeriesQueue& queue) {
  if (queue.series != nullptr) {
    if (queue.series->state() == Series::State::kOpen) return std::nullopt;
    return queue.series->state() == Series::State::kFailed ? Outcome::kHandled : Outcome::kWaits;
  }
  // One that failed: the client sent this before it could know of the error.
  if (std::find(failed_ids_.begin(), failed_ids_.end(), queue.id) == failed_ids_.end()) {
    Post(ErrorResponse(queue.id, absl::NotFoundError(absl::StrCat("series '", queue.id, "' is not open"))));
  }
  return Outcome::kHandled;
}

std::optional<StreamSession::Outcome> StreamSession::UnlessRoom(const Series& series) const {
  const int most = series.info()->reuse == nullptr ? options_.max_windows_of_series : 1;
  if (series.windows_in_flight >= most) return Outcome::kWaits;
  const bool bytes_full =
      in_flight_ > 0 && in_flight_bytes_ + series.info()->WindowBytes() > options_.max_bytes_in_flight;
  if (bytes_full || in_flight_ >= options_.max_windows_in_flight || UnsentFull()) return Outcome::kNoRoom;
  return std::nullopt;
}

int64_t StreamSession::WindowsTogether(const Series& series) const {
  // Others are best computed by as many workers as have time.
  if (series.info()->reuse == nullptr) return 1;
  const SeriesInfo& info = *series.info();
  const int64_t by_bytes = (options_.max_bytes_in_flight - in_flight_bytes_) / info.WindowBytes();
  const int64_t by_queue = info.model.queue->MostUndivided(info.window.channels * info.window.length);
  return std::max<int64_t>(1, std::min({int64_t{options_.max_windows_of_series}, by_bytes, by_queue, UnsentLeft(),
                                        options_.max_windows_in_flight - in_flight_}));
}

StreamSession::Outcome StreamSession::HandleChunk(const QueuePtr& queue, PendingRequest& pending) {
  if (const std::optional<Outcome> outcome = UnlessOpen(*queue)) return *outcome;
  Series& series = *queue->series;
  if (!pending.started) {
    pending.started = true;
    if (absl::Status status = series.BeginChunk(pending.request.chunk()); !status.ok()) series.Fail(std::move(status));
    Flush(queue);  // a gap or the error
    return Outcome::kProgress;
  }
  if (!series.window_complete()) series.Feed();
  if (series.window_complete()) {
    if (const std::optional<Outcome> outcome = UnlessRoom(series)) return *outcome;
    Prepare(queue, series.FormWindows(WindowsTogether(series)), pending.received);
    // It may have failed, and be gone.
    if (queue->series == nullptr) return Outcome::kHandled;
  }
  return series.chunk_done() ? Outcome::kHandled : Outcome::kProgress;
}

StreamSession::Outcome StreamSession::HandleClose(const QueuePtr& queue, const PendingRequest& pending) {
  if (const std::optional<Outcome> outcome = UnlessOpen(*queue)) return *outcome;
  Series& series = *queue->series;
  if (series.HasPartialWindow()) {
    if (const std::optional<Outcome> outcome = UnlessRoom(series)) return *outcome;
    Prepare(queue, series.FormPaddedWindow(), pending.received);
    return Outcome::kProgress;
  }
  series.Close();
  Flush(queue);
  return Outcome::kHandled;
}

}  // namespace stillwave::streaming
