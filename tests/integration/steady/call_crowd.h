// Very many calls of ModelInfer in flight, on one or many connections; one thread moves them all.
#pragma once

#include <deque>
#include <memory>
#include <thread>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "tests/integration/rpc.h"

namespace stillwave::integration {

class CallCrowd {
 public:
  struct Answer {
    grpc::Status status;
    inference::ModelInferResponse response;
    bool pushback = false;  // the server said when to try again
  };

  CallCrowd() : mover_([this] { Move(); }) {}
  // REQUIRES: all calls have been answered.
  ~CallCrowd() {
    queue_.Shutdown();
    mover_.join();
  }
  CallCrowd(const CallCrowd&) = delete;
  CallCrowd& operator=(const CallCrowd&) = delete;

  void Start(Inference::Stub& stub, const inference::ModelInferRequest& request) {
    auto* const call = new InFlight;
    LimitTime(call->context);
    call->reader = stub.AsyncModelInfer(&call->context, request, &queue_);
    call->reader->Finish(&call->answer.response, &call->answer.status, call);
  }

  // The next to be answered. REQUIRES: one is in flight.
  Answer Next() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](std::deque<Answer>* answers) { return !answers->empty(); }, &answers_));
    Answer answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
  }

 private:
  struct InFlight {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientAsyncResponseReader<inference::ModelInferResponse>> reader;
    Answer answer;
  };

  void Move() {
    void* tag = nullptr;
    for (bool ok = false; queue_.Next(&tag, &ok);) {
      const std::unique_ptr<InFlight> call(static_cast<InFlight*>(tag));
      call->answer.pushback = call->context.GetServerTrailingMetadata().count("grpc-retry-pushback-ms") == 1;
      absl::MutexLock lock(&mutex_);
      answers_.push_back(std::move(call->answer));
    }
  }

  grpc::CompletionQueue queue_;
  absl::Mutex mutex_;
  std::deque<Answer> answers_ ABSL_GUARDED_BY(mutex_);
  std::thread mover_;
};

}  // namespace stillwave::integration
