#include "client/bench/unary_load.h"

#include <thread>

#include "absl/time/clock.h"
#include "client/bench/next_event.h"
#include "client/bench/open_loop_sender.h"
#include "server/base/check.h"

namespace stillwave::client::bench {
namespace {

// The `index`-th of `parts` nearly equal parts.
int64_t PartOf(int64_t whole, int index, int parts) { return whole / parts + (index < whole % parts ? 1 : 0); }

}  // namespace

UnaryWorker::UnaryWorker(const LoadOptions& options, int index, const Channels& channels,
                         const EncodedRequests* requests)
    : options_(options), index_(index), requests_(requests), next_request_(static_cast<size_t>(index)) {
  SW_CHECK(!requests->empty() && !channels.empty());
  for (const std::shared_ptr<grpc::Channel>& channel : channels) {
    stubs_.push_back(std::make_unique<grpc::GenericStub>(channel));
  }
  const int64_t most = options.open_loop() ? options.max_in_flight : options.concurrency;
  const int64_t calls = PartOf(most, index, options.threads);
  absl::MutexLock lock(&mutex_);
  for (int64_t i = 0; i < calls; ++i) {
    calls_.emplace_back();
    // Neighbouring threads begin with neighbouring connections, so that all are used.
    calls_.back().stub = stubs_[static_cast<size_t>(i * options.threads + index) % stubs_.size()].get();
  }
  for (auto call = calls_.rbegin(); call != calls_.rend(); ++call) free_.push_back(&*call);
}

UnaryWorker::~UnaryWorker() {
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

void UnaryWorker::Run(LoadPlan* plan, LoadRecorder* recorder) {
  plan_ = plan;
  recorder_ = recorder;
  options_.open_loop() ? RunOpen() : RunClosed();
}

void UnaryWorker::RunClosed() {
  int64_t in_flight = 0;
  for (Call& call : calls_) SendNext(&call);
  for (const Call& call : calls_) in_flight += call.in_flight ? 1 : 0;
  bool cancelled = false;
  while (in_flight > 0) {
    if (plan_->interrupted() && !cancelled) {
      CancelAll();
      cancelled = true;
    }
    Call* const call = AwaitAnswer();
    if (call == nullptr) continue;
    Record(call);
    SendNext(call);
    if (!call->in_flight) --in_flight;
  }
}

void UnaryWorker::RunOpen() {
  {
    absl::MutexLock lock(&mutex_);
    sending_ = true;
  }
  std::thread sender([this] {
    ArrivalSchedule schedule(options_.arrivals, options_.rate / options_.threads,
                             options_.seed * 1'000'003 + static_cast<uint64_t>(index_),
                             static_cast<double>(index_) / options_.threads);
    SendOnSchedule(schedule, plan_, [this](Ticket ticket, Tick due) { return SendDue(ticket, due); });
    absl::MutexLock lock(&mutex_);
    sending_ = false;
  });
  bool joined = false;
  while (!AllReturned()) {
    // Nobody touches the calls any more once the sender is gone.
    if (plan_->interrupted() && !joined) {
      sender.join();
      joined = true;
      CancelAll();
    }
    Call* const call = AwaitAnswer();
    if (call == nullptr) continue;
    Record(call);
    Release(call);
  }
  if (!joined) sender.join();
}

void UnaryWorker::SendNext(Call* call) {
  const Tick now = Now();
  const Ticket ticket = plan_->Take(now);
  if (ticket != Ticket::kOver) Start(call, ticket, now);
}

bool UnaryWorker::SendDue(Ticket ticket, Tick due) {
  Call* const call = AwaitFreeCall();
  if (call == nullptr) {
    recorder_->NotSent({ticket, due});
    return !plan_->interrupted();  // the rest of the schedule is only counted
  }
  recorder_->SentLate({ticket, due}, absl::Nanoseconds(Now() - due));
  Start(call, ticket, due);
  return true;
}

void UnaryWorker::Start(Call* call, Ticket ticket, Tick due) {
  call->reader.reset();
  call->response.Clear();
  call->context.emplace();
  call->context->set_deadline(absl::ToChronoTime(absl::Now() + options_.timeout));
  call->request = {ticket, due};
  call->in_flight = true;
  recorder_->Sent(call->request);
  const grpc::ByteBuffer& request = (*requests_)[next_request_++ % requests_->size()];
  call->reader = call->stub->PrepareUnaryCall(&*call->context, method_, request, &queue_);
  call->reader->StartCall();
  call->reader->Finish(&call->response, &call->status, call);
}

UnaryWorker::Call* UnaryWorker::AwaitAnswer() {
  void* tag = nullptr;
  bool ok = false;
  return NextEvent(&queue_, &tag, &ok) ? static_cast<Call*>(tag) : nullptr;
}

void UnaryWorker::Record(Call* call) {
  call->in_flight = false;
  const bool given_up = plan_->interrupted() && call->status.error_code() == grpc::StatusCode::CANCELLED;
  if (given_up) {
    recorder_->Abandoned(call->request);
  } else {
    recorder_->Answered(call->request, Now(), static_cast<absl::StatusCode>(call->status.error_code()),
                        call->status.error_message());
  }
}

void UnaryWorker::CancelAll() {
  for (Call& call : calls_) {
    if (call.in_flight) call.context->TryCancel();
  }
}

UnaryWorker::Call* UnaryWorker::AwaitFreeCall() {
  absl::MutexLock lock(&mutex_);
  while (!mutex_.AwaitWithTimeout(absl::Condition(this, &UnaryWorker::HasFreeCall), absl::Milliseconds(kWaitMillis))) {
    if (plan_->interrupted() || Now() >= plan_->measure_until()) return nullptr;
  }
  Call* const call = free_.back();
  free_.pop_back();
  return call;
}

void UnaryWorker::Release(Call* call) {
  absl::MutexLock lock(&mutex_);
  free_.push_back(call);
}

bool UnaryWorker::AllReturned() {
  absl::MutexLock lock(&mutex_);
  return !sending_ && free_.size() == calls_.size();
}

}  // namespace stillwave::client::bench
