#include "server/streaming/stream_session.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "server/base/check.h"
#include "server/streaming/stream_responses.h"

namespace stillwave::streaming {

std::shared_ptr<StreamSession> StreamSession::Create(const Options& options, ModelSource source,
                                                     metrics::ServerMetrics* metrics,
                                                     absl::AnyInvocable<void()> on_change) {
  SW_CHECK(options.max_series > 0 && options.max_windows_in_flight > 0 && options.max_bytes_in_flight > 0 &&
           options.max_windows_of_series > 0);
  SW_CHECK(options.max_unsent_responses > 0 && options.max_unsent_bytes > 0);
  SW_CHECK(options.max_pending_requests > 0 && options.max_pending_bytes > 0);
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
    Enqueue(std::move(request));
  }
  Run();
}

void StreamSession::OnHalfClose() {
  {
    absl::MutexLock lock(&mutex_);
    if (!TakesRequests()) return;
    half_closed_ = true;
    for (const auto& [id, queue] : queues_) CloseAtEnd(*queue);
    for (const auto& [id, queue] : queues_) MakeReady(queue);
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
  outbox_.clear();
  outbox_bytes_ = 0;
}

bool StreamSession::NextResponse(v1::StreamWindowsResponse* response) {
  {
    absl::MutexLock lock(&mutex_);
    if (outbox_.empty()) return false;
    *response = std::move(outbox_.front());
    outbox_.pop_front();
    outbox_bytes_ -= static_cast<int64_t>(response->ByteSizeLong());
    if (ready_.empty()) return true;  // nothing waited for the place that is free now
  }
  Run();
  return true;
}

bool StreamSession::HasResponse() const {
  absl::MutexLock lock(&mutex_);
  return !outbox_.empty();
}

bool StreamSession::WantsRead() const {
  absl::MutexLock lock(&mutex_);
  return TakesRequests() && !UnsentFull() && pending_requests_ < options_.max_pending_requests &&
         pending_bytes_ < options_.max_pending_bytes;
}

std::optional<absl::Status> StreamSession::FinalStatus() const {
  absl::MutexLock lock(&mutex_);
  return outbox_.empty() ? final_status_ : std::nullopt;
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
  if (!to_submit_.empty()) {
    const QueuePtr queue = std::move(to_submit_.front());
    to_submit_.pop_front();
    Submit(queue);
    return true;
  }
  if (ready_.empty() || UnsentFull()) return false;
  const QueuePtr queue = ready_.front();
  const Outcome outcome = Handle(queue);
  if (outcome == Outcome::kNoRoom) return false;
  // To the end, so that a series with much to do does not keep the others waiting.
  ready_.pop_front();
  queue->ready = false;
  if (outcome == Outcome::kHandled) DropFirst(*queue);
  if (outcome != Outcome::kWaits) MakeReady(queue);
  ForgetIfIdle(queue);
  return true;
}

void StreamSession::Submit(const QueuePtr& queue) {
  Submission submission = *std::move(queue->submission);
  queue->submission.reset();
  const std::shared_ptr<Series> series = submission.series;
  batching::ModelQueue& model_queue = *series->info()->model.queue;
  const int64_t samples = submission.task.samples;
  // Where others wait, this thread goes on with them, so that workers compute all together.
  submission.task.may_run_on_caller = to_submit_.empty() && ready_.empty();
  // The model's queue may call back at once, and the window may be computed here.
  mutex_.Unlock();
  const absl::Status status = model_queue.TrySubmit(submission.task);
  mutex_.Lock();
  if (!status.ok() && final_status_.has_value()) return;
  if (status.code() == absl::StatusCode::kResourceExhausted) {
    queue->submission = std::move(submission);
    mutex_.Unlock();
    model_queue.WhenSpaceFrees(samples, [weak = weak_from_this(), waits = std::weak_ptr(queue)] {
      const std::shared_ptr<StreamSession> session = weak.lock();
      const QueuePtr waiting = waits.lock();
      if (session != nullptr && waiting != nullptr) session->OnSpace(waiting);
    });
    mutex_.Lock();
    return;
  }
  queue->submitting = false;
  if (!status.ok()) {
    CountInFlight(*series, -samples);
    series->FailAt(submission.first_slot, status);
    if (queue->series == series) Flush(queue);
  }
  MakeReady(queue);
  ForgetIfIdle(queue);
}

void StreamSession::OnSpace(const QueuePtr& queue) {
  {
    absl::MutexLock lock(&mutex_);
    if (queue->submission.has_value()) to_submit_.push_back(queue);
  }
  Run();
}

void StreamSession::Prepare(const QueuePtr& queue, absl::StatusOr<FormedWindows> windows, absl::Time received) {
  const std::shared_ptr<Series> series = queue->series;
  if (!windows.ok()) {
    series->Fail(windows.status());
    Flush(queue);
    return;
  }
  CountSlots(*queue);
  CountInFlight(*series, windows->count());
  Submission submission;
  submission.series = series;
  submission.first_slot = windows->first_slot;
  submission.task.samples = windows->count();
  submission.task.inputs = {windows->input.view()};
  submission.task.cancellation = cancellation_;
  tensor::Tensor tickets;
  if (const auto& reuse = series->info()->reuse; reuse != nullptr) {
    tickets = reuse->Tickets(windows->infos.front().first_sample, windows->count());
    submission.task.inputs.push_back(tickets.view());
  }
  // The callback owns the windows' values, which must stay until it was called.
  submission.task.done = [session = shared_from_this(), queue, series, received, windows = *std::move(windows),
                          tickets = std::move(tickets)](batching::InferenceResult result) {
    session->OnComputed(queue, series, windows.first_slot, windows.infos, received, std::move(result));
  };
  queue->submission = std::move(submission);
  queue->submitting = true;
  to_submit_.push_back(queue);
}

void StreamSession::CountInFlight(Series& series, int64_t windows) {
  series.windows_in_flight += windows;
  in_flight_ += windows;
  in_flight_bytes_ += windows * series.info()->WindowBytes();
}

void StreamSession::OnComputed(const QueuePtr& queue, const std::shared_ptr<Series>& series, int64_t first_slot,
                               absl::Span<const WindowInfo> windows, absl::Time received,
                               batching::InferenceResult result) {
  const SeriesInfo& info = *series->info();
  std::vector<v1::StreamWindowsResponse> responses;
  if (result.status.ok()) {
    for (size_t i = 0; i < windows.size(); ++i) {
      responses.push_back(WindowResponse(info, windows[i], result.outputs, static_cast<int64_t>(i)));
    }
  }
  {
    absl::MutexLock lock(&mutex_);
    CountInFlight(*series, -static_cast<int64_t>(windows.size()));
    if (!final_status_.has_value()) {
      if (result.status.ok()) {
        const metrics::ModelMetrics& metrics = *info.model.metrics;
        const absl::Duration latency = options_.clock->Now() - received;
        for (size_t i = 0; i < responses.size(); ++i) {
          // Who reuses, counts what it computed.
          metrics.CountWindow(info.reuse == nullptr ? info.window.length : 0, latency);
          series->Fill(first_slot + static_cast<int64_t>(i), std::move(responses[i]));
        }
      } else {
        series->FailAt(first_slot, std::move(result.status));
      }
      // Else it is one that has failed, and another may be open under its id.
      if (queue->series == series) {
        Flush(queue);
        MakeReady(queue);
        ForgetIfIdle(queue);
      }
    }
  }
  Run();
}

void StreamSession::Flush(const QueuePtr& queue) {
  Series& series = *queue->series;
  while (std::optional<v1::StreamWindowsResponse> response = series.PopResponse()) Post(*std::move(response));
  CountSlots(*queue);
  if (series.state() != Series::State::kEnded) return;
  if (!series.error().ok()) RememberFailed(queue->id);
  EndSeries(*queue, series.error().code());
  MakeReady(queue);
}

void StreamSession::Post(v1::StreamWindowsResponse response) {
  outbox_bytes_ += static_cast<int64_t>(response.ByteSizeLong());
  outbox_.push_back(std::move(response));
}

void StreamSession::CountSlots(SeriesQueue& queue) {
  slots_ += queue.series->pending() - queue.counted_slots;
  queue.counted_slots = queue.series->pending();
}

void StreamSession::EndSeries(SeriesQueue& queue, absl::StatusCode code) {
  const SeriesInfo& info = *queue.series->info();
  info.model.metrics->stream_series->Decrement();
  info.model.metrics->stream_series_bytes->Decrement(static_cast<double>(info.MemoryBytes()));
  CountSeriesEnd(*info.model.metrics, code);
  slots_ -= queue.counted_slots;
  queue.counted_slots = 0;
  queue.series.reset();
  --open_series_;
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
  for (const auto& [id, queue] : queues_) {
    if (queue->series != nullptr) {
      const absl::Status& error = queue->series->error();
      EndSeries(*queue, error.ok() ? code : error.code());
    }
    queue->requests.clear();
    queue->submission.reset();  // its task holds the queue
  }
  queues_.clear();
  ready_.clear();
  to_submit_.clear();
  pending_requests_ = pending_bytes_ = 0;
}

void StreamSession::FinishIfDone() {
  if (final_status_.has_value() || pending_requests_ > 0) return;
  if (half_closed_ && queues_.empty()) final_status_ = absl::OkStatus();
  if (draining_ && slots_ == 0) {
    EndAll(absl::StatusCode::kUnavailable);
    Post(DrainingResponse());
    final_status_ =
        absl::UnavailableError("the server is draining; open each series again, elsewhere, behind its last window");
  }
}

}  // namespace stillwave::streaming
