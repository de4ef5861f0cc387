// One call of ModelStreamInfer: requests come and responses leave on one stream, in the same order.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "inference/open_inference_grpc.pb.h"
#include "server/service/infer_exchange.h"
#include "server/service/open_calls.h"
#include "server/service/received.h"
#include "server/service/serial_turns.h"

namespace stillwave::service {

// Every request gets one response: in-band, with error_message, when it is refused or fails, and the stream goes on. A
// client that sends the metadata `triton_grpc_error: true` gets the status of the first such request as that of the
// call instead, which ends: what it sent before is answered, what it sent after is not.
//
// Memory is bounded: while kMaxUnsent requests wait for their response or kMaxHeldBytes are held, no more is read. So a
// client that does not take its responses is not read from either.
//
// One read and one write in flight, Finish once, after every request is answered by the scheduler, whose workers read
// the requests' bytes. Thread-safe.
class InferStream final
    : public grpc::ServerBidiReactor<Received<inference::ModelInferRequest>, inference::ModelStreamInferResponse>,
      public std::enable_shared_from_this<InferStream> {
 public:
  static constexpr size_t kMaxUnsent = 64;
  static constexpr size_t kMaxHeldBytes = size_t{16} << 20;

  // Keeps itself until gRPC is done with the call and no worker calls it.
  static std::shared_ptr<InferStream> Create(grpc::CallbackServerContext* context, const InferContext& shared,
                                             OpenCalls* calls);

  // Begins to read. Call once. `on_end` is called once, when it is settled how the call ends and before the client can
  // know: a client that has seen the end finds the place free.
  void Start(std::function<void()> on_end);

  // The server stops: what was read is answered, then the call ends with UNAVAILABLE.
  void Drain();

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override { Cancel(); }
  void OnDone() override;

 private:
  struct Message {
    inference::ModelInferRequest request;
    inference::ModelStreamInferResponse response;
    std::optional<InferExchange> exchange;
    size_t bytes = 0;      // of the request, then of the response
    bool settled = false;  // `response` and `status` are set, and the exchange is done
    absl::Status status;
  };

  InferStream(grpc::CallbackServerContext* context, const InferContext& shared, OpenCalls* calls);

  // Gives up what is not computed yet; the call ends with CANCELLED.
  void Cancel();
  // Null when the stream has ended meanwhile.
  Message* Accept(inference::ModelInferRequest request);
  void Settle(Message* message, absl::Status status);

  // Starts whatever is due and nothing prevents. Called after every event, from any thread.
  void Advance() ABSL_LOCKS_EXCLUDED(mutex_);
  void StartWhatIsDue() ABSL_LOCKS_EXCLUDED(mutex_);
  // The message that may be written now; null when there is none.
  Message* TakeForWriting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // How the call ends, once it may end.
  std::optional<absl::Status> FinalStatus() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool WantsRead() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void End(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);

  const OpenCall open_;  // first, so that it ends last
  grpc::CallbackServerContext* const context_;
  const InferContext& shared_;
  const absl::Time deadline_;
  // Of all messages. Cancelling settles those that wait, from inside: not under the lock.
  const std::shared_ptr<batching::Cancellation> cancellation_ = std::make_shared<batching::Cancellation>();
  const bool grpc_errors_;                          // the client wants errors as the call's status
  std::shared_ptr<InferStream> self_;               // until OnDone
  std::function<void()> on_end_;                    // set by Start, before any operation
  Received<inference::ModelInferRequest> request_;  // the read's, while reading_

  SerialTurns turns_;
  absl::Mutex mutex_;
  // From the oldest; the first is the write's while writing_.
  std::deque<std::unique_ptr<Message>> messages_ ABSL_GUARDED_BY(mutex_);
  size_t unsettled_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t held_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool half_closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> failure_ ABSL_GUARDED_BY(mutex_);  // with grpc_errors_: of the first request that failed
};

}  // namespace stillwave::service
