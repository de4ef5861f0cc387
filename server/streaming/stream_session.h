// One call of StreamWindows, without gRPC: messages in, messages out.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/base/clock.h"
#include "server/batching/inference_task.h"
#include "server/metrics/server_metrics.h"
#include "server/streaming/series.h"
#include "server/streaming/stream_model.h"
#include "stillwave/v1/stream_inference.pb.h"

namespace stillwave::streaming {

// The reactor's side:
//
//   session = StreamSession::Create(options, source, metrics, /*on_change=*/[this] { Advance(); });
//   Advance() (after each on_change and each finished read or write, from any thread):
//     no write in flight:  if (session->NextResponse(&response)) StartWrite(response)
//                          else if (auto status = session->FinalStatus()) Finish(*status)
//     no read in flight and not half-closed:  if (session->WantsRead()) StartRead(request)
//   OnReadDone(true): session->OnRequest(std::move(request))    OnReadDone(false): session->OnHalfClose()
//   OnCancel: session->Cancel()      OnDone: session->Detach()
//
// Requests are handled in the order they came, results leave in the order of windows within a series. Memory is
// bounded: while windows in flight or responses not fetched are at their limit, no window is formed and WantsRead is
// false; at most one request lies unfinished behind that (two, if a read was already under way). A window that finds
// the model's queue full is kept and submitted again when there is space: a stream is flow-controlled, not refused.
//
// Thread-safe; never blocks. The work is done by whichever thread brought the event, one at a time.
class StreamSession : public std::enable_shared_from_this<StreamSession> {
 public:
  struct Options {
    SeriesLimits limits;
    // Series open at the same time. Positive.
    int max_series = 64;
    // Windows submitted and not answered yet, over all series. Positive.
    int max_windows_in_flight = 8;
    // Responses that wait to be fetched; no window is formed and nothing is read while there are so many. Positive.
    int max_unsent_responses = 32;
    // Outlives the session.
    const base::Clock* clock = &base::RealClock::Get();
  };

  // `on_change`: there may be something for NextResponse, FinalStatus or WantsRead. Called from any thread, one call at
  // a time, with no lock held; it may call the session. `metrics` outlives the session and counts the open stream.
  static std::shared_ptr<StreamSession> Create(const Options& options, ModelSource source,
                                               metrics::ServerMetrics* metrics, absl::AnyInvocable<void()> on_change);
  ~StreamSession();

  // The client's next message. Ignored after OnHalfClose, Drain and Cancel.
  void OnRequest(v1::StreamWindowsRequest request);

  // The client sends no more: series that are open are closed as by CloseSeries; then the call ends with OK.
  void OnHalfClose();

  // The server stops: what was accepted is answered, then comes Draining and the call ends with UNAVAILABLE. Drain
  // sessions before the scheduler, which refuses their windows afterwards.
  void Drain();

  // The call is gone: nothing more is formed, computed or answered. FinalStatus is CANCELLED at once.
  void Cancel();

  // After it returns on_change is not running and is not called again. Cancels. REQUIRES: not called from on_change.
  void Detach();

  // The next message to the client, in order; false when there is none now.
  bool NextResponse(v1::StreamWindowsResponse* response);

  bool WantsRead() const;

  // Set once nothing more will come out of NextResponse: how the call ends.
  std::optional<absl::Status> FinalStatus() const;

 private:
  // A window on its way into the model's queue.
  struct Submission {
    batching::InferenceTask task;
    std::shared_ptr<Series> series;
    int64_t slot = 0;
  };
  struct PendingRequest {
    v1::StreamWindowsRequest request;
    absl::Time received;
    bool started = false;  // of a chunk: BeginChunk was called
  };
  using SeriesMap = std::map<std::string, std::shared_ptr<Series>>;

  StreamSession(const Options& options, ModelSource source, metrics::ServerMetrics* metrics,
                absl::AnyInvocable<void()> on_change);

  // Of handling backlog_.front().
  enum class Outcome {
    kHandled,   // drop it
    kProgress,  // a part of it; come back
    kBlocked,   // nothing can be done before something else happens
  };

  // Does all that can be done now, then calls on_change; when another thread is at it, that one goes on.
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  // One step; false when nothing can be done now. May let go of the mutex for a moment.
  bool Step() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Submits submission_; false when the queue has no space.
  bool Submit() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Outcome Handle(PendingRequest& pending) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Outcome HandleOpen(const v1::OpenSeries& open) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Outcome HandleChunk(PendingRequest& pending) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Outcome HandleClose(const PendingRequest& pending) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // After half-close: closes the next series that is open; false when none is.
  bool CloseNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<SeriesInfo> Admit(const v1::OpenSeries& open) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // The series that a chunk or close is for, if it is open. Else *outcome says what to do: wait until it has ended,
  // pass over what belongs to a series that failed, or answer that it is not open.
  std::shared_ptr<Series> FindOpen(const std::string& series_id, Outcome* outcome)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Another window of the series may be formed. Where one reuses what was kept of the one before, that must have been
  // computed; a call's later messages wait meanwhile.
  bool HasRoom(const Series& series) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Makes submission_ of a window, or fails the series when there is none.
  void Prepare(const std::shared_ptr<Series>& series, absl::StatusOr<FormedWindow> window, absl::Time received)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // `received`: when the window's last sample came.
  void OnComputed(const std::shared_ptr<Series>& series, int64_t slot, const WindowInfo& window, absl::Time received,
                  batching::InferenceResult result) ABSL_LOCKS_EXCLUDED(mutex_);
  void OnSpace() ABSL_LOCKS_EXCLUDED(mutex_);
  // Moves what is due from the series to the outbox, and forgets the series when it has ended.
  void Flush(const std::shared_ptr<Series>& series) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void CountSeriesEnd(const metrics::ModelMetrics& metrics, absl::StatusCode code);
  void RememberFailed(const std::string& series_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Counts all series that are left as ended with `code`, and forgets them.
  void EndAll(absl::StatusCode code) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FinishIfDone() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CancelLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Responses that were promised and not fetched: in slots and in the outbox.
  int64_t unsent() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool TakesRequests() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !half_closed_ && !draining_ && !final_status_.has_value();
  }
  bool NotRunning() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !running_; }

  const Options options_;
  const ModelSource source_;
  metrics::ServerMetrics* const metrics_;
  // Called only by the thread that has set running_.
  absl::AnyInvocable<void()> on_change_;
  // Of all windows that were submitted. Cancelled without mutex_, which their callbacks take.
  const std::shared_ptr<batching::Cancellation> cancellation_ = std::make_shared<batching::Cancellation>();

  mutable absl::Mutex mutex_;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;  // a thread is in Run
  bool dirty_ ABSL_GUARDED_BY(mutex_) = false;    // and shall go round once more
  bool detached_ ABSL_GUARDED_BY(mutex_) = false;
  bool half_closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> final_status_ ABSL_GUARDED_BY(mutex_);
  std::deque<PendingRequest> backlog_ ABSL_GUARDED_BY(mutex_);
  std::deque<v1::StreamWindowsResponse> outbox_ ABSL_GUARDED_BY(mutex_);
  SeriesMap series_ ABSL_GUARDED_BY(mutex_);                    // by id; those that have not ended
  std::deque<std::string> failed_ids_ ABSL_GUARDED_BY(mutex_);  // ended by an error lately, oldest first
  std::optional<Submission> submission_ ABSL_GUARDED_BY(mutex_);
  bool waiting_for_space_ ABSL_GUARDED_BY(mutex_) = false;  // the queue refused submission_
  int in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace stillwave::streaming
