// ModelInfer requests through gRPC's completion queues: what costs a client least. Only for files that have grpc
// headers anyway.
#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/bench/connections.h"
#include "client/bench/load_worker.h"

namespace stillwave::client::bench {

// Requests as bytes, which are sent in turns; not empty. They are encoded once: a load generator that shares its cores
// with the server is to take little of them. Answers are not decoded.
using EncodedRequests = std::vector<grpc::ByteBuffer>;

// One completion queue for one thread; of an open loop, a second thread sends. Not thread-safe.
class UnaryWorker final : public LoadWorker {
 public:
  // `index` of `options.threads`. `requests` outlives the worker.
  UnaryWorker(const LoadOptions& options, int index, const Channels& channels, const EncodedRequests* requests);
  ~UnaryWorker() override;

  absl::Status Prepare() override { return absl::OkStatus(); }
  void Run(LoadPlan* plan, LoadRecorder* recorder) override;

 private:
  struct Call {
    grpc::GenericStub* stub = nullptr;
    std::optional<grpc::ClientContext> context;  // one for each request: gRPC's rule
    std::unique_ptr<grpc::ClientAsyncResponseReader<grpc::ByteBuffer>> reader;
    grpc::ByteBuffer response;
    grpc::Status status;
    PendingRequest request;
    bool in_flight = false;
  };

  void RunClosed();
  void RunOpen();
  // Sends again, in the same place, while the plan says so.
  void SendNext(Call* call);
  // For SendOnSchedule.
  bool SendDue(Ticket ticket, Tick due);
  void Start(Call* call, Ticket ticket, Tick due);
  // Takes one answer from the queue; null when none came for a while.
  Call* AwaitAnswer();
  void Record(Call* call);
  void CancelAll();
  // Null when the step ends before one is free.
  Call* AwaitFreeCall() ABSL_LOCKS_EXCLUDED(mutex_);
  void Release(Call* call) ABSL_LOCKS_EXCLUDED(mutex_);
  bool HasFreeCall() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !free_.empty(); }
  bool AllReturned() ABSL_LOCKS_EXCLUDED(mutex_);

  const std::string method_ = "/inference.GRPCInferenceService/ModelInfer";
  const LoadOptions options_;
  const int index_;
  const EncodedRequests* const requests_;
  size_t next_request_;
  LoadPlan* plan_ = nullptr;
  LoadRecorder* recorder_ = nullptr;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  grpc::CompletionQueue queue_;
  std::deque<Call> calls_;  // a call's address is its tag
  absl::Mutex mutex_;
  std::vector<Call*> free_ ABSL_GUARDED_BY(mutex_);  // open loop
  bool sending_ ABSL_GUARDED_BY(mutex_) = false;     // open loop
};

}  // namespace stillwave::client::bench
