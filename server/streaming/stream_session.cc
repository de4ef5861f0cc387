#include "server/streaming/stream_session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/streaming/stream_responses.h"

namespace stillwave::streaming {
namespace {

void CountEnd(const metrics::ModelMetrics& metrics, absl::StatusCode code) {
  metrics.CountRequest(metrics::Method::kStreamWindows, code, absl::ZeroDuration());
}

}  // namespace

std::shared_ptr<StreamSession> StreamSession::Create(const Options& options, ModelSource source,
                                                     metrics::ServerMetrics* metrics,
                                                     absl::AnyInvocable<void()> on_change) {
  SW_CHECK(options.max_series > 0 && options.max_windows_in_flight > 0 && options.max_unsent_responses > 0);
  return std::shared_ptr<StreamSession>(new StreamSession(options, std::move(source), metrics, std::move(on_change)));
}

StreamSession::StreamSession(const Options& options, ModelSource source, metrics::ServerMetrics* metrics,
                             absl::AnyInvocable<void()> on_change)
    : options_(options),
      source_(std::move(source)),
      metrics_(metrics),
      on_change_(std::move(on_change)),
      cancelled_(std::make_shared<std::atomic<bool>>(false)) {
  metrics_->streams().Increment();
}

StreamSession::~StreamSession() {
  {
    absl::MutexLock lock(&mutex_);
    EndAll(absl::StatusCode::kCancelled);
  }
  metrics_->streams().Decrement();
}

void StreamSession::OnRequest(v1::StreamWindowsRequest request) {
  {
    absl::MutexLock lock(&mutex_);
    if (!TakesRequests()) return;
    backlog_.push_back({std::move(request), options_.clock->Now()});
  }
  Run();
}

void StreamSession::OnHalfClose() {
  {
    absl::MutexLock lock(&mutex_);
    if (!TakesRequests()) return;
    half_closed_ = true;
  }
  Run();
}

void StreamSession::Drain() {
  {
    absl::MutexLock lock(&mutex_);
    if (!TakesRequests()) return;
    draining_ = true;
  }
  Run();
}

void StreamSession::Cancel() {
  {
    absl::MutexLock lock(&mutex_);
    CancelLocked();
  }
  Run();
}

void StreamSession::Detach() {
  absl::MutexLock lock(&mutex_);
  CancelLocked();
  detached_ = true;
  mutex_.Await(absl::Condition(this, &StreamSession::NotRunning));
}

void StreamSession::CancelLocked() {
  cancelled_->store(true);
  if (!final_status_.has_value()) final_status_ = absl::CancelledError("the call was cancelled");
  EndAll(absl::StatusCode::kCancelled);
  submission_.reset();
  backlog_.clear();
  outbox_.clear();
}

bool StreamSession::NextResponse(v1::StreamWindowsResponse* response) {
  {
    absl::MutexLock lock(&mutex_);
    if (outbox_.empty()) return false;
    *response = std::move(outbox_.front());
    outbox_.pop_front();
    // Else nothing waited for the place that is free now.
    if (backlog_.empty() && !half_closed_) return true;
  }
  Run();
  return true;
}

bool StreamSession::WantsRead() const {
  absl::MutexLock lock(&mutex_);
  return TakesRequests() && backlog_.empty() && !submission_.has_value() && unsent() < options_.max_unsent_responses;
}

std::optional<absl::Status> StreamSession::FinalStatus() const {
  absl::MutexLock lock(&mutex_);
  return outbox_.empty() ? final_status_ : std::nullopt;
}

int64_t StreamSession::unsent() const {
  auto count = static_cast<int64_t>(outbox_.size());
  for (const auto& [id, series] : series_) count += series->pending();
  return count;
}

bool StreamSession::HasRoom() const {
  return in_flight_ < options_.max_windows_in_flight && unsent() < options_.max_unsent_responses;
}

void StreamSession::Run() {
  mutex_.Lock();
  dirty_ = true;
  if (running_) {
    mutex_.Unlock();
    return;
  }
  running_ = true;
  while (dirty_) {
    dirty_ = false;
    while (Step()) {
    }
    FinishIfDone();
    if (detached_) continue;
    mutex_.Unlock();
    on_change_();
    mutex_.Lock();
  }
  running_ = false;
  mutex_.Unlock();
}

bool StreamSession::Step() {
  if (final_status_.has_value()) return false;
  if (submission_.has_value()) return Submit();
  if (unsent() >= options_.max_unsent_responses) return false;
  if (backlog_.empty()) return half_closed_ && CloseNext();
  switch (Handle(backlog_.front())) {
    case Outcome::kHandled:
      backlog_.pop_front();
      return true;
    case Outcome::kProgress:
      return true;
    case Outcome::kBlocked:
      return false;
  }
  return false;
}

bool StreamSession::Submit() {
  if (waiting_for_space_) return false;
  Submission submission = *std::move(submission_);
  submission_.reset();
  const std::shared_ptr<Series> series = submission.series;
  batching::ModelQueue& queue = *series->info()->model.queue;
  ++in_flight_;
  // The queue may call back at once.
  mutex_.Unlock();
  const absl::Status status = queue.TrySubmit(submission.task);
  mutex_.Lock();
  if (status.ok()) return true;
  --in_flight_;
  if (final_status_.has_value()) return false;
  if (status.code() != absl::StatusCode::kResourceExhausted) {
    series->FailAt(submission.slot, status);
    Flush(series);
    return true;
  }
  submission_ = std::move(submission);
  waiting_for_space_ = true;
  mutex_.Unlock();
  queue.WhenSpaceFrees(/*samples=*/1, [weak = weak_from_this()] {
    if (const std::shared_ptr<StreamSession> session = weak.lock()) session->OnSpace();
  });
  mutex_.Lock();
  return true;
}

void StreamSession::OnSpace() {
  {
    absl::MutexLock lock(&mutex_);
    waiting_for_space_ = false;
  }
  Run();
}

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
    CountEnd(metrics_->unknown_model(), info.status().code());
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
    if (!HasRoom()) return Outcome::kBlocked;
    Prepare(series, series->FormWindow(), pending.received);
  }
  return series->chunk_done() ? Outcome::kHandled : Outcome::kProgress;
}

StreamSession::Outcome StreamSession::HandleClose(const PendingRequest& pending) {
  Outcome outcome = Outcome::kHandled;
  const std::shared_ptr<Series> series = FindOpen(pending.request.close().series_id(), &outcome);
  if (series == nullptr) return outcome;
  if (series->HasPartialWindow()) {
    if (!HasRoom()) return Outcome::kBlocked;
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

void StreamSession::Prepare(const std::shared_ptr<Series>& series, absl::StatusOr<FormedWindow> window,
                            absl::Time received) {
  if (!window.ok()) {
    series->Fail(window.status());
    Flush(series);
    return;
  }
  Submission submission;
  submission.series = series;
  submission.slot = window->slot;
  submission.task.inputs = {window->input.view()};
  submission.task.cancelled = cancelled_;
  // The callback owns the window's values, which must stay until it was called.
  submission.task.done = [session = shared_from_this(), series, received, info = window->info, slot = window->slot,
                          input = std::move(window->input)](batching::InferenceResult result) {
    session->OnComputed(series, slot, info, received, std::move(result));
  };
  submission_ = std::move(submission);
}

void StreamSession::OnComputed(const std::shared_ptr<Series>& series, int64_t slot, const WindowInfo& window,
                               absl::Time received, batching::InferenceResult result) {
  const SeriesInfo& info = *series->info();
  v1::StreamWindowsResponse response;
  if (result.status.ok()) response = WindowResponse(info, window, result.outputs);
  {
    absl::MutexLock lock(&mutex_);
    --in_flight_;
    if (!final_status_.has_value()) {
      if (result.status.ok()) {
        const metrics::ModelMetrics& metrics = *info.model.metrics;
        metrics.stream_windows->Increment();
        metrics.stream_computed_samples->Increment(static_cast<double>(info.window.length));
        metrics.stream_window_duration->Observe(absl::ToDoubleSeconds(options_.clock->Now() - received));
        series->Fill(slot, std::move(response));
      } else {
        series->FailAt(slot, std::move(result.status));
      }
      Flush(series);
    }
  }
  Run();
}

void StreamSession::Flush(const std::shared_ptr<Series>& series) {
  while (std::optional<v1::StreamWindowsResponse> response = series->PopResponse()) {
    outbox_.push_back(*std::move(response));
  }
  const auto it = series_.find(series->info()->id);
  if (series->state() != Series::State::kEnded || it == series_.end() || it->second != series) return;
  const metrics::ModelMetrics& metrics = *series->info()->model.metrics;
  metrics.stream_series->Decrement();
  CountEnd(metrics, series->error().code());
  if (!series->error().ok()) RememberFailed(it->first);
  series_.erase(it);
}

void StreamSession::RememberFailed(const std::string& series_id) {
  std::erase(failed_ids_, series_id);
  failed_ids_.push_back(series_id.substr(0, static_cast<size_t>(options_.limits.max_id_bytes) + 1));
  if (static_cast<int>(failed_ids_.size()) > options_.max_series) failed_ids_.pop_front();
}

void StreamSession::EndAll(absl::StatusCode code) {
  for (const auto& [id, series] : series_) {
    const metrics::ModelMetrics& metrics = *series->info()->model.metrics;
    metrics.stream_series->Decrement();
    CountEnd(metrics, series->error().ok() ? code : series->error().code());
  }
  series_.clear();
}

void StreamSession::FinishIfDone() {
  if (final_status_.has_value() || !backlog_.empty() || submission_.has_value()) return;
  if (half_closed_ && series_.empty()) final_status_ = absl::OkStatus();
  const bool all_answered =
      std::all_of(series_.begin(), series_.end(), [](const auto& entry) { return entry.second->pending() == 0; });
  if (draining_ && all_answered) {
    EndAll(absl::StatusCode::kUnavailable);
    outbox_.push_back(DrainingResponse());
    final_status_ = absl::UnavailableError(
        "the server is draining; open each series again, elsewhere, at the index of its next sample");
  }
}

}  // namespace stillwave::streaming
