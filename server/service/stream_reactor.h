// One StreamWindows call: moves messages between gRPC and a StreamSession.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "server/service/open_calls.h"
#include "server/service/received.h"
#include "server/service/serial_turns.h"
#include "server/streaming/stream_session.h"
#include "stillwave/v1/stream_inference.pb.h"

namespace stillwave::service {

// One read and one write in flight, Finish once. Reads only while the session wants more, so a client that does not
// take its results is not read from either. Deletes itself when gRPC is done with the call.
class StreamReactor final
    : public grpc::ServerBidiReactor<Received<v1::StreamWindowsRequest>, v1::StreamWindowsResponse> {
 public:
  StreamReactor(grpc::CallbackServerContext* context, const streaming::StreamSession::Options& options,
                streaming::ModelSource source, metrics::ServerMetrics* metrics, OpenCalls* calls);

  // Begins to read. Call once. `on_end` is called once, when it is settled how the call ends and before the client can
  // know: a client that has seen the end finds the place free.
  void Start(std::function<void()> on_end);

  const std::shared_ptr<streaming::StreamSession>& session() const { return session_; }

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override { session_->Cancel(); }
  void OnDone() override;

 private:
  // Starts whatever the session wants and nothing prevents. Called after every event, from any thread.
  void Advance();
  void StartWhatIsWanted();
  void End(absl::Status status);

  const OpenCall open_;  // first, so that it ends last
  grpc::CallbackServerContext* const context_;
  SerialTurns turns_;
  absl::Mutex mutex_;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool half_closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);  // of a message that is none: how the call ends then
  Received<v1::StreamWindowsRequest> request_;    // the read's, while reading_
  v1::StreamWindowsResponse response_;            // the write's, while writing_
  std::function<void()> on_end_;                  // set by Start, before any operation
  // After the members that its on_change uses.
  const std::shared_ptr<streaming::StreamSession> session_;
};

}  // namespace stillwave::service
