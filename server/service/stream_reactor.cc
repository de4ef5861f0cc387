#include "server/service/stream_reactor.h"

#include <optional>
#include <utility>

#include "server/service/grpc_status.h"

namespace stillwave::service {

StreamReactor::StreamReactor(grpc::CallbackServerContext* context, const streaming::StreamSession::Options& options,
                             streaming::ModelSource source, metrics::ServerMetrics* metrics, OpenCalls* calls)
    : open_(calls),
      context_(context),
      session_(streaming::StreamSession::Create(options, std::move(source), metrics,
                                                /*on_change=*/[this] { Advance(); })) {}

void StreamReactor::Start(std::function<void()> on_end) {
  on_end_ = std::move(on_end);
  turns_.Begin([this] { StartWhatIsWanted(); });
}

void StreamReactor::Advance() {
  turns_.Ask([this] { StartWhatIsWanted(); });
}

void StreamReactor::StartWhatIsWanted() {
  bool may_write = false;
  bool may_read = false;
  {
    absl::MutexLock lock(&mutex_);
    may_write = !writing_ && !finished_;
    may_read = !reading_ && !half_closed_ && !finished_;
  }
  if (may_write) {
    if (session_->NextResponse(&response_)) {
      {
        absl::MutexLock lock(&mutex_);
        writing_ = true;
      }
      // What follows at once goes out with it.
      grpc::WriteOptions options;
      if (session_->HasResponse()) options.set_buffer_hint();
      StartWrite(&response_, options);
    } else if (const std::optional<absl::Status> status = session_->FinalStatus()) {
      End(*status);
      return;
    }
  }
  if (may_read && session_->WantsRead()) {
    {
      absl::MutexLock lock(&mutex_);
      reading_ = true;
    }
    StartRead(&request_);
  }
}

void StreamReactor::End(absl::Status status) {
  {
    absl::MutexLock lock(&mutex_);
    finished_ = true;
    if (!refusal_.ok()) status = refusal_;
  }
  if (absl::IsResourceExhausted(status)) {
    context_->AddTrailingMetadata(kRetryPushbackKey, kRetryPushbackMilliseconds);
  }
  on_end_();
  Finish(ToGrpcStatus(status));
}

void StreamReactor::OnReadDone(bool ok) {
  v1::StreamWindowsRequest request;
  absl::Status received;
  {
    absl::MutexLock lock(&mutex_);
    half_closed_ = !ok;
    request.Swap(&request_.message);
    received.Update(request_.status);
    refusal_.Update(received);
  }
  if (ok && !received.ok()) {
    session_->Cancel();  // which series it was for is not known
  } else if (ok) {
    session_->OnRequest(std::move(request));
  } else {
    session_->OnHalfClose();
  }
  {
    // Only now: the next read may end on another thread, and its message must not overtake this one.
    absl::MutexLock lock(&mutex_);
    reading_ = false;
  }
  Advance();
}

void StreamReactor::OnWriteDone(bool ok) {
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
  }
  if (!ok) session_->Cancel();  // the client is gone
  Advance();
}

void StreamReactor::OnDone() {
  session_->Detach();
  delete this;
}

}  // namespace stillwave::service
