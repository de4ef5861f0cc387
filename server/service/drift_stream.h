// One WatchDrift call.
#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/repository/model_repository.h"
#include "server/service/open_calls.h"
#include "stillwave/v1/monitoring.pb.h"

namespace stillwave::service {

// Writes a report, waits for its interval, writes the next; a client that does not read delays its own reports and
// nothing else. Deletes itself when gRPC is done with the call. Thread-safe.
class DriftStream final : public grpc::ServerWriteReactor<v1::DriftReport> {
 public:
  // `repository` and `calls` outlive it; `on_done` is called once, at its end. Start it once.
  DriftStream(const repository::ModelRepository* repository, v1::WatchDriftRequest request, absl::Duration interval,
              OpenCalls* calls, std::function<void(DriftStream*)> on_done);
  void Start() { Report(); }

  // The call ends with `status`, at once or after the write that is under way. The first status counts.
  void End(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);

  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnCancel() override { End(absl::CancelledError("the watcher is gone")); }
  void OnDone() override;

 private:
  // Writing and waiting take turns: one of them, and one alone, is always under way until Finish.
  void Report();
  void AwaitNext() ABSL_LOCKS_EXCLUDED(mutex_);
  void OnAlarm() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status EndStatus() const ABSL_LOCKS_EXCLUDED(mutex_);

  const OpenCall open_;  // first, so that it ends last
  const repository::ModelRepository* const repository_;
  const v1::WatchDriftRequest request_;
  const absl::Duration interval_;
  const std::function<void(DriftStream*)> on_done_;
  v1::DriftReport report_;  // the write's

  mutable absl::Mutex mutex_;
  absl::Status end_ ABSL_GUARDED_BY(mutex_);                    // not OK: the call is to end
  std::unique_ptr<grpc::Alarm> alarm_ ABSL_GUARDED_BY(mutex_);  // the last one that was set
};

}  // namespace stillwave::service
