#include "server/service/infer_stream.h"

#include <utility>

#include "server/service/call_deadline.h"
#include "server/service/grpc_status.h"

namespace stillwave::service {
namespace {

constexpr char kGrpcErrorsKey[] = "triton_grpc_error";
constexpr char kFinalResponse[] = "triton_final_response";

bool WantsGrpcErrors(const grpc::CallbackServerContext& context) {
  const auto it = context.client_metadata().find(kGrpcErrorsKey);
  return it != context.client_metadata().end() && it->second == "true";
}

// What the client needs to tell which request failed, and why.
void DescribeFailure(const inference::ModelInferRequest& request, const absl::Status& status,
                     inference::ModelStreamInferResponse& response) {
  response.Clear();
  const absl::string_view message = status.message();
  response.set_error_message(message.data(), message.size());
  response.mutable_infer_response()->set_id(request.id());
  response.mutable_infer_response()->set_model_name(request.model_name());
  response.mutable_infer_response()->set_model_version(request.model_version());
}

}  // namespace

std::shared_ptr<InferStream> InferStream::Create(grpc::CallbackServerContext* context, const InferContext& shared,
                                                 OpenCalls* calls) {
  std::shared_ptr<InferStream> stream(new InferStream(context, shared, calls));
  stream->self_ = stream;
  return stream;
}

InferStream::InferStream(grpc::CallbackServerContext* context, const InferContext& shared, OpenCalls* calls)
    : open_(calls),
      context_(context),
      shared_(shared),
      deadline_(DeadlineOf(*context)),
      grpc_errors_(WantsGrpcErrors(*context)) {}

void InferStream::Start(std::function<void()> on_end) {
  on_end_ = std::move(on_end);
  turns_.Begin([this] { StartWhatIsDue(); });
}

void InferStream::Drain() {
  {
    absl::MutexLock lock(&mutex_);
    draining_ = true;
  }
  Advance();
}

void InferStream::Cancel() {
  {
    absl::MutexLock lock(&mutex_);
    cancelled_ = true;
  }
  cancellation_->Cancel();
  Advance();
}

void InferStream::OnReadDone(bool ok) {
  if (!ok) {
    {
      absl::MutexLock lock(&mutex_);
      half_closed_ = true;
      reading_ = false;
    }
    Advance();
    return;
  }
  const absl::Status received = std::exchange(request_.status, absl::OkStatus());
  if (Message* const message = Accept(std::move(request_.message)); message == nullptr) {
    // The call has ended.
  } else if (!received.ok()) {
    Settle(message, received);
  } else {
    message->exchange->Start(deadline_, [self = shared_from_this(), message](absl::Status status) {
      self->Settle(message, std::move(status));
    });
  }
  {
    // Only now: the next read may end on another thread, and its message must not overtake this one.
    absl::MutexLock lock(&mutex_);
    reading_ = false;
  }
  Advance();
}

InferStream::Message* InferStream::Accept(inference::ModelInferRequest request) {
  auto accepted = std::make_unique<Message>();
  Message* const message = accepted.get();
  message->request = std::move(request);
  message->bytes = message->request.ByteSizeLong();
  message->exchange.emplace(shared_, metrics::Method::kModelStreamInfer, cancellation_, &message->request,
                            message->response.mutable_infer_response());
  absl::MutexLock lock(&mutex_);
  if (finished_) return nullptr;
  messages_.push_back(std::move(accepted));
  ++unsettled_;
  held_bytes_ += message->bytes;
  return message;
}

void InferStream::Settle(Message* message, absl::Status status) {
  if (status.ok()) {
    (*message->response.mutable_infer_response()->mutable_parameters())[kFinalResponse].set_bool_param(true);
  } else {
    DescribeFailure(message->request, status, message->response);
  }
  message->request = inference::ModelInferRequest();  // its bytes are no longer needed
  const size_t bytes = message->response.ByteSizeLong();
  {
    absl::MutexLock lock(&mutex_);
    held_bytes_ = held_bytes_ - message->bytes + bytes;
    message->bytes = bytes;
    message->status = std::move(status);
    message->settled = true;
    --unsettled_;
  }
  Advance();
}

void InferStream::OnWriteDone(bool ok) {
  std::unique_ptr<Message> written;  // destroyed without the lock
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    written = std::move(messages_.front());
    messages_.pop_front();
    held_bytes_ -= written->bytes;
  }
  if (ok) {
    Advance();
  } else {
    Cancel();  // the client is gone
  }
}

void InferStream::OnDone() {
  // A worker that has just settled the last message may still be in Advance; it holds a reference.
  const std::shared_ptr<InferStream> self = std::move(self_);
}

void InferStream::Advance() {
  turns_.Ask([this] { StartWhatIsDue(); });
}

void InferStream::StartWhatIsDue() {
  Message* writable = nullptr;
  std::optional<absl::Status> end;
  bool read = false;
  bool gives_up = false;
  {
    absl::MutexLock lock(&mutex_);
    if (finished_) return;
    writable = TakeForWriting();
    gives_up = failure_.has_value() && !cancellation_->cancelled();
    end = FinalStatus();
    finished_ = end.has_value();
    read = !finished_ && !reading_ && WantsRead();
    if (read) reading_ = true;
  }
  if (gives_up) cancellation_->Cancel();
  if (writable != nullptr) StartWrite(&writable->response);
  if (end.has_value()) {
    End(*end);
  } else if (read) {
    StartRead(&request_);
  }
}

InferStream::Message* InferStream::TakeForWriting() {
  if (writing_ || cancelled_ || failure_.has_value() || messages_.empty()) return nullptr;
  Message& oldest = *messages_.front();
  if (!oldest.settled) return nullptr;
  if (grpc_errors_ && !oldest.status.ok()) {
    failure_ = oldest.status;
    return nullptr;
  }
  writing_ = true;
  return &oldest;
}

std::optional<absl::Status> InferStream::FinalStatus() const {
  if (writing_ || unsettled_ > 0) return std::nullopt;
  if (cancelled_) return absl::CancelledError("the client is gone");
  if (failure_.has_value()) return failure_;
  if (!messages_.empty()) return std::nullopt;
  if (draining_) return absl::UnavailableError("the server is stopping; try another one");
  if (half_closed_) return absl::OkStatus();
  return std::nullopt;
}

bool InferStream::WantsRead() const {
  return !half_closed_ && !draining_ && !cancelled_ && !failure_.has_value() && messages_.size() < kMaxUnsent &&
         held_bytes_ < kMaxHeldBytes;
}

void InferStream::End(const absl::Status& status) {
  if (absl::IsResourceExhausted(status)) {
    context_->AddTrailingMetadata(kRetryPushbackKey, kRetryPushbackMilliseconds);
  }
  on_end_();
  Finish(ToGrpcStatus(status));
}

}  // namespace stillwave::service
