// How StreamSession handles the client's requests, one after the other.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/streaming/stream_responses.h"
#include "server/streaming/stream_session.h"

namespace stillwave::streaming {

StreamSession::Outcome StreamSession::Handle(PendingRequest& pending) {
  switch (pending.request.request_case()) {
    case v1::StreamWindowsRequest::kOpen:
      return HandleOpen(pending.request.open());
    case v1::StreamWindowsRequest::kChunk:
      return HandleChunk(pending);
    case v1::StreamWindowsRequest::kClose:
      return HandleClose(pending);
    case v1::StreamWindowsRequest::REQUEST_NOT_SET:
      break;
  }
  outbox_.push_back(
      ErrorResponse(/*series_id=*/"", absl::InvalidArgumentError("request must hold open, chunk or close; was empty")));
  return Outcome::kHandled;
}

StreamSession::Outcome StreamSession::HandleOpen(const v1::OpenSeries& open) {
  const auto it = series_.find(open.series_id());
  if (it != series_.end()) {
    const std::shared_ptr<Series> series = it->second;
    // One that ends makes room for its successor when its last response has its place in the outbox.
    if (series->state() != Series::State::kOpen) return Outcome::kBlocked;
    series->Fail(absl::AlreadyExistsError(absl::StrCat("series '", open.series_id(), "' is open already")));
    Flush(series);
    return Outcome::kHandled;
  }
  absl::StatusOr<SeriesInfo> info = Admit(open);
  if (!info.ok()) {
    CountSeriesEnd(metrics_->unknown_model(), info.status().code());
    RememberFailed(open.series_id());
    outbox_.push_back(ErrorResponse(open.series_id(), info.status()));
    return Outcome::kHandled;
  }
  std::erase(failed_ids_, open.series_id());
  info->model.metrics->stream_series->Increment();
  outbox_.push_back(OpenedResponse(*info));
  series_.emplace(open.series_id(), std::make_shared<Series>(*std::move(info)));
  return Outcome::kHandled;
}

absl::StatusOr<SeriesInfo> StreamSession::Admit(const v1::OpenSeries& open) {
  if (static_cast<int>(series_.size()) >= options_.max_series) {
    metrics_->unknown_model().CountRejection(metrics::Rejection::kTooManySeries);
    return absl::ResourceExhaustedError(
        absl::StrCat("series of one stream must be at most ", options_.max_series, "; so many are open"));
  }
  return ResolveSeries(open, source_, options_.limits);
}

std::shared_ptr<Series> StreamSession::FindOpen(const std::string& series_id, Outcome* outcome) {
  const auto it = series_.find(series_id);
  if (it != series_.end()) {
    if (it->second->state() == Series::State::kOpen) return it->second;
    *outcome = it->second->state() == Series::State::kFailed ? Outcome::kHandled : Outcome::kBlocked;
    return nullptr;
  }
  *outcome = Outcome::kHandled;
  // The client sent this before it could know of the error.
  if (std::find(failed_ids_.begin(), failed_ids_.end(), series_id) != failed_ids_.end()) return nullptr;
  outbox_.push_back(
      ErrorResponse(series_id, absl::NotFoundError(absl::StrCat("series '", series_id, "' is not open"))));
  return nullptr;
}

StreamSession::Outcome StreamSession::HandleChunk(PendingRequest& pending) {
  const v1::SampleChunk& chunk = pending.request.chunk();
  Outcome outcome = Outcome::kHandled;
  const std::shared_ptr<Series> series = FindOpen(chunk.series_id(), &outcome);
  if (series == nullptr) return outcome;
  if (!pending.started) {
    pending.started = true;
    if (absl::Status status = series->BeginChunk(chunk); !status.ok()) series->Fail(std::move(status));
    Flush(series);  // a gap or the error
    return Outcome::kProgress;
  }
  if (!series->window_complete()) series->Feed(chunk);
  if (series->window_complete()) {
    if (!HasRoom(*series)) return Outcome::kBlocked;
    Prepare(series, series->FormWindow(), pending.received);
  }
  return series->chunk_done() ? Outcome::kHandled : Outcome::kProgress;
}

StreamSession::Outcome StreamSession::HandleClose(const PendingRequest& pending) {
  Outcome outcome = Outcome::kHandled;
  const std::shared_ptr<Series> series = FindOpen(pending.request.close().series_id(), &outcome);
  if (series == nullptr) return outcome;
  if (series->HasPartialWindow()) {
    if (!HasRoom(*series)) return Outcome::kBlocked;
    Prepare(series, series->FormPaddedWindow(), pending.received);
    return Outcome::kProgress;
  }
  series->Close();
  Flush(series);
  return Outcome::kHandled;
}

bool StreamSession::CloseNext() {
  for (const auto& [id, series] : series_) {
    if (series->state() != Series::State::kOpen) continue;
    PendingRequest close{{}, options_.clock->Now()};
    close.request.mutable_close()->set_series_id(id);
    backlog_.push_back(std::move(close));
    return true;
  }
  return false;
}

}  // namespace stillwave::streaming
