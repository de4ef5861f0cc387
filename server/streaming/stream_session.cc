#include "server/streaming/stream_session.h"

#include <algorithm>
#include <utility>

#include "server/base/check.h"
#include "server/streaming/stream_responses.h"

namespace stillwave::streaming {
std::shared_ptr<StreamSession> StreamSession::Create(const Options& options, ModelSource source,
                                                     metrics::ServerMetrics* metrics,
                                                     absl::AnyInvocable<void()> on_change) {
  SW_CHECK(options.max_series > 0 && options.max_windows_in_flight > 0 && options.max_unsent_responses > 0);
  return std::shared_ptr<StreamSession>(new StreamSession(options, std::move(source), metrics, std::move(on_change)));
}

StreamSession::StreamSession(const Options& options, ModelSource source, metrics::ServerMetrics* metrics,
                             absl::AnyInvocable<void()> on_change)
    : options_(options), source_(std::move(source)), metrics_(metrics), on_change_(std::move(on_change)) {
  metrics_->streams().Increment();
}

StreamSession::~StreamSession() {
  absl::MutexLock lock(&mutex_);
  EndAll(absl::StatusCode::kCancelled);
  if (!detached_) metrics_->streams().Decrement();
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
  cancellation_->Cancel();
  Run();
}

void StreamSession::Detach() {
  {
    absl::MutexLock lock(&mutex_);
    CancelLocked();
  }
  cancellation_->Cancel();
  absl::MutexLock lock(&mutex_);
  // A window in flight may hold the session a little longer; the stream is over now.
  if (!detached_) metrics_->streams().Decrement();
  detached_ = true;
  mutex_.Await(absl::Condition(this, &StreamSession::NotRunning));
}

void StreamSession::CancelLocked() {
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

bool StreamSession::HasRoom(const Series& series) const {
  if (series.info()->reuse != nullptr && series.windows_in_flight > 0) return false;
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
  submission.task.cancellation = cancellation_;
  tensor::Tensor ticket;
  if (const auto& reuse = series->info()->reuse; reuse != nullptr) {
    ticket = reuse->Ticket(window->info.first_sample);
    submission.task.inputs.push_back(ticket.view());
  }
  // The callback owns the window's values, which must stay until it was called.
  submission.task.done = [session = shared_from_this(), series, received, info = window->info, slot = window->slot,
                          input = std::move(window->input),
                          ticket = std::move(ticket)](batching::InferenceResult result) {
    session->OnComputed(series, slot, info, received, std::move(result));
  };
  ++series->windows_in_flight;
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
    --series->windows_in_flight;
    if (!final_status_.has_value()) {
      if (result.status.ok()) {
        const metrics::ModelMetrics& metrics = *info.model.metrics;
        // Who reuses, counts what it computed.
        metrics.CountWindow(info.reuse == nullptr ? info.window.length : 0, options_.clock->Now() - received);
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
  CountSeriesEnd(metrics, series->error().code());
  if (!series->error().ok()) RememberFailed(it->first);
  series_.erase(it);
}

void StreamSession::CountSeriesEnd(const metrics::ModelMetrics& metrics, absl::StatusCode code) {
  metrics.CountRequest(metrics::Method::kStreamWindows, code, absl::ZeroDuration());
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
    CountSeriesEnd(metrics, series->error().ok() ? code : series->error().code());
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
