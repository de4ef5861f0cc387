// Clients that send the next request as soon as the last one is answered, each on its own connection.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "tests/integration/rpc.h"

namespace stillwave::integration {

class BusyClients {
 public:
  using MakeChannel = std::function<std::shared_ptr<grpc::Channel>()>;

  // Every answer must be that of `request`, to the bit. A client ends at its first refusal when `until_refused` is
  // set, else with Stop.
  BusyClients(int clients, const MakeChannel& make_channel, inference::ModelInferRequest request, std::string answer,
              bool until_refused)
      : request_(std::move(request)), answer_(std::move(answer)), until_refused_(until_refused), running_(clients) {
    for (int i = 0; i < clients; ++i) {
      threads_.emplace_back([this, channel = make_channel()] { Run(*Inference::NewStub(channel)); });
    }
  }
  ~BusyClients() { Stop(); }
  BusyClients(const BusyClients&) = delete;
  BusyClients& operator=(const BusyClients&) = delete;

  // Returns when so many requests have been answered with OK.
  void AwaitAnswers(int64_t count) {
    absl::MutexLock lock(&mutex_);
    const auto reached = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return answered_ >= count || running_ == 0; };
    mutex_.Await(absl::Condition(&reached));
  }

  // Lets each finish its last request.
  void Stop() {
    stopping_ = true;
    Join();
  }
  // REQUIRES: they end by themselves.
  void Join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  int64_t answered() const {
    absl::MutexLock lock(&mutex_);
    return answered_;
  }
  // What was not OK: "UNAVAILABLE message" and how often. An answer with wrong bits is "wrong answer".
  std::map<std::string, int> refusals() const {
    absl::MutexLock lock(&mutex_);
    return refusals_;
  }

 private:
  void Run(Inference::Stub& stub) {
    for (bool go_on = true; go_on && !stopping_;) {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(120));
      inference::ModelInferResponse response;
      const grpc::Status status = stub.ModelInfer(&context, request_, &response);
      const bool right = response.raw_output_contents_size() == 1 && response.raw_output_contents(0) == answer_;
      absl::MutexLock lock(&mutex_);
      if (!status.ok()) {
        ++refusals_[absl::StrCat(static_cast<int>(status.error_code()), " ", status.error_message())];
        go_on = !until_refused_;
      } else if (!right) {
        ++refusals_["wrong answer"];
      } else {
        ++answered_;
      }
    }
    absl::MutexLock lock(&mutex_);
    --running_;
  }

  const inference::ModelInferRequest request_;
  const std::string answer_;
  const bool until_refused_;
  std::atomic<bool> stopping_{false};
  mutable absl::Mutex mutex_;
  int running_ ABSL_GUARDED_BY(mutex_);
  int64_t answered_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, int> refusals_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace stillwave::integration
