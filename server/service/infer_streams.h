// The open calls of ModelStreamInfer: how many there may be, and their end when the server stops.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <memory>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "server/service/infer_stream.h"

namespace stillwave::service {

// Thread-safe. REQUIRES: destroyed after the server whose calls they are.
class InferStreams {
 public:
  // `max_streams` is positive. The others outlive it.
  InferStreams(const InferContext* shared, int64_t max_streams, OpenCalls* calls)
      : shared_(*shared), max_streams_(max_streams), calls_(calls) {}

  // A stream that runs, or one that ends at once: with RESOURCE_EXHAUSTED when there are too many, with UNAVAILABLE
  // when the server takes no more work.
  grpc::ServerBidiReactor<Received<inference::ModelInferRequest>, inference::ModelStreamInferResponse>* Open(
      grpc::CallbackServerContext* context);

  // Every stream answers what it read and ends with UNAVAILABLE; new ones are refused. Does not wait.
  void Drain();

 private:
  // OK and counts the stream, or why it must not start.
  absl::Status Admit();

  const InferContext& shared_;
  const int64_t max_streams_;
  OpenCalls* const calls_;
  absl::Mutex mutex_;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t admitted_ ABSL_GUARDED_BY(mutex_) = 0;  // and not ended; streams_ follows a moment later
  std::set<std::shared_ptr<InferStream>> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace stillwave::service
