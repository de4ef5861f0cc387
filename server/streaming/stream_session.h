// One call of StreamWindows, without gRPC: messages in, messages out.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
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
#include "absl/types/span.h"
#include "server/base/clock.h"
#include "server/batching/inference_task.h"
#include "server/metrics/server_metrics.h"
#include "server/streaming/series.h"
#include "server/streaming/series_queue.h"
#include "server/streaming/stream_model.h"
#include "stillwave/v1/stream_inference.pb.h"

namespace stillwave::streaming {

// The reactor's side:
//
//   session = StreamSession::Create(options, source, metrics, /*on_change=*/[this] { Advance(); });
//   Advance() (after each on_change and each finished read or write, from any thread):
//     no write in flight:  if (session->NextResponse(&response)) StartWrite(response), with a hint if HasResponse()
//                          else if (auto status = session->FinalStatus()) Finish(*status)
//     no read in flight and not half-closed:  if (session->WantsRead()) StartRead(request)
//   OnReadDone(true): session->OnRequest(std::move(request))    OnReadDone(false): session->OnHalfClose()
//   OnCancel: session->Cancel()      OnDone: session->Detach()
//
// Requests of a series are handled in the order they came, and its results leave in the order of its windows; a series
// that must wait (for its last windows, where one builds on the other, or for space in its model's queue) holds no
// other. Memory is bounded: while windows in flight or responses not fetched are at their limit, no window is formed;
// requests wait then, and WantsRead is false while those that wait are at their limit, and while responses are (a limit
// is passed by one request, or two if a read was already under way). Windows that find the model's queue full are kept
// and submitted again when there is space: a stream is flow-controlled, not refused.
//
// Thread-safe; never blocks. The work is done by whichever thread brought the event, one at a time.
class StreamSession : public std::enable_shared_from_this<StreamSession> {
 public:
  struct Options {
    SeriesLimits limits;
    // Series open at the same time. Positive.
    int max_series = 256;
    // Windows formed and not computed yet, over all series, and the bytes of their samples; one may always be.
    // Positive.
    int max_windows_in_flight = 32;
    int64_t max_bytes_in_flight = int64_t{32} << 20;
    // Windows of one series, so that one with much to do leaves room to the others. Where a window builds on what was
    // kept of the one before, they are those of one message, and computed together. Positive.
    int max_windows_of_series = 8;
    // Responses that wait to be fetched, and the bytes of those that are there; no window is formed and nothing is read
    // while there are so many. Positive.
    int max_unsent_responses = 64;
    int64_t max_unsent_bytes = int64_t{32} << 20;
    // Requests that wait, and their bytes; nothing is read while there are so many. Positive.
    int max_pending_requests = 1024;
    int64_t max_pending_bytes = int64_t{4} << 20;
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
  // There is one. Stays so until it is fetched or the call is gone.
  bool HasResponse() const;

  bool WantsRead() const;

  // Set once nothing more will come out of NextResponse: how the call ends.
  std::optional<absl::Status> FinalStatus() const;

 private:
  using QueuePtr = std::shared_ptr<SeriesQueue>;

  StreamSession(const Options& options, ModelSource source, metrics::ServerMetrics* metrics,
                absl::AnyInvocable<void()> on_change);

  // Of handling the first request of a queue.
  enum class Outcome {
    kHandled,   // drop it
    kProgress,  // a part of it; come back
    kWaits,     // for something of its own series; others go on
    kNoRoom,    // nothing can be done for any series before something is computed or fetched
  };

  // Does all that can be done now, then calls on_change; when another thread is at it, that one goes on.
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  // One step; false when nothing can be done now. May let go of the mutex for a moment.
  bool Step() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Enqueue(v1::StreamWindowsRequest request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropFirst(SeriesQueue& queue) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // It may have become possible to handle the queue's first request.
  void MakeReady(const QueuePtr& queue) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetIfIdle(const QueuePtr& queue) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Offers the queue's windows to the model; when there is no space, it is offered again when there is.
  void Submit(const QueuePtr& queue) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Outcome Handle(const QueuePtr& queue) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Outcome HandleOpen(const QueuePtr& queue, const v1::OpenSeries& open) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Outcome HandleChunk(const QueuePtr& queue, PendingRequest& pending) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Outcome HandleClose(const QueuePtr& queue, const PendingRequest& pending) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // After half-close: adds the CloseSeries that an open series has not got.
  void CloseAtEnd(SeriesQueue& queue) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<SeriesInfo> Admit(const v1::OpenSeries& open) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // OK when the queue's series is open and takes the chunk or close that comes next. Else what to do with it: wait
  // until the series has ended, pass over what belongs to one that failed, or drop what was answered with an error.
  std::optional<Outcome> UnlessOpen(SeriesQueue& queue) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Why no window of the series may be formed now.
  std::optional<Outcome> UnlessRoom(const Series& series) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Windows that may be formed now, to be computed together. REQUIRES: there is room for one.
  int64_t WindowsTogether(const Series& series) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Makes a submission of windows, or fails the series when there are none.
  void Prepare(const QueuePtr& queue, absl::StatusOr<FormedWindows> windows, absl::Time received)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // So many more windows of the series are in flight, or fewer.
  void CountInFlight(Series& series, int64_t windows) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // `received`: when the windows' last sample came.
  void OnComputed(const QueuePtr& queue, const std::shared_ptr<Series>& series, int64_t first_slot,
                  absl::Span<const WindowInfo> windows, absl::Time received, batching::InferenceResult result)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void OnSpace(const QueuePtr& queue) ABSL_LOCKS_EXCLUDED(mutex_);
  // Moves what is due from the queue's series to the outbox, and forgets the series when it has ended. After every
  // change of its responses.
  void Flush(const QueuePtr& queue) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CountSlots(SeriesQueue& queue) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Post(v1::StreamWindowsResponse response) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The queue's series is over: it is counted, and the queue has none.
  void EndSeries(SeriesQueue& queue, absl::StatusCode code) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void CountSeriesEnd(const metrics::ModelMetrics& metrics, absl::StatusCode code);
  void RememberFailed(const std::string& series_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // All series that are left end with `code`; nothing that waits is done.
  void EndAll(absl::StatusCode code) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FinishIfDone() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CancelLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Responses that were promised and not fetched, in slots and in the outbox, are at their limit.
  bool UnsentFull() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return UnsentLeft() <= 0 || outbox_bytes_ >= options_.max_unsent_bytes;
  }
  int64_t UnsentLeft() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return options_.max_unsent_responses - slots_ - static_cast<int64_t>(outbox_.size());
  }
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
  std::map<std::string, QueuePtr, std::less<>> queues_ ABSL_GUARDED_BY(mutex_);  // by id; those that are not idle
  std::deque<QueuePtr> ready_ ABSL_GUARDED_BY(mutex_);      // in turn: each has a request that may be handled
  std::deque<QueuePtr> to_submit_ ABSL_GUARDED_BY(mutex_);  // each has a submission that the model's queue may take
  int open_series_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t pending_requests_ ABSL_GUARDED_BY(mutex_) = 0;  // in all queues
  int64_t pending_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t slots_ ABSL_GUARDED_BY(mutex_) = 0;  // responses that have a place in a series and have not left it
  std::deque<v1::StreamWindowsResponse> outbox_ ABSL_GUARDED_BY(mutex_);
  int64_t outbox_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<std::string> failed_ids_ ABSL_GUARDED_BY(mutex_);  // ended by an error lately, oldest first
  int64_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;               // windows
  int64_t in_flight_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace stillwave::streaming
