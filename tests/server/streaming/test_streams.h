// A puppet model behind a real scheduler, and messages, for the tests of this folder.
#pragma once

#include <cstring>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "server/batching/batch_scheduler.h"
#include "server/streaming/stream_session.h"
#include "tests/support/puppet_runner.h"

namespace stillwave::streaming {

// {N, channels, T} -> the outputs of PuppetRunner, called "summary" and "doubled"; T as given, -1 for any.
inline model::ModelSignature PuppetSignature(int64_t channels = 1, int64_t time_steps = tensor::kDynamicDim) {
  constexpr auto kFloat = tensor::DataType::kFloat32;
  return {{{"x", kFloat, {-1, channels, time_steps}}},
          {{"summary", kFloat, {-1, 2}}, {"doubled", kFloat, {-1, channels, time_steps}}}};
}

// Lets the runner go before the scheduler drains.
class PuppetServer {
 public:
  explicit PuppetServer(int64_t channels = 1, int64_t max_queue_samples = 1000, int workers = 1)
      : scheduler_({workers, &base::RealClock::Get()}) {
    model_.name = "ecg";
    model_.version = "3";
    model_.signature = PuppetSignature(channels);
    model_.runner = runner_;
    model_.metrics = &metrics_.ForModel("ecg", "3");
    batching::ModelQueueOptions options;
    options.name = "ecg";
    options.max_queue_samples = max_queue_samples;
    model_.queue = *scheduler_.AddModel(runner_, options, model_.metrics);
  }
  ~PuppetServer() { runner_->LetAllGo(); }

  test_support::PuppetRunner& runner() { return *runner_; }
  StreamModel& model() { return model_; }
  batching::BatchScheduler& scheduler() { return scheduler_; }
  metrics::ServerMetrics& metrics() { return metrics_; }

  // Knows "ecg" only.
  ModelSource Source() {
    return [this](absl::string_view name, absl::string_view) -> absl::StatusOr<StreamModel> {
      if (name != "ecg") return absl::NotFoundError("model is not known; known models: ecg");
      return model_;
    };
  }

 private:
  metrics::ServerMetrics metrics_;
  const std::shared_ptr<test_support::PuppetRunner> runner_ = std::make_shared<test_support::PuppetRunner>();
  batching::BatchScheduler scheduler_;
  StreamModel model_;
};

inline v1::StreamWindowsRequest Open(const std::string& id, int64_t window_length, int64_t hop = 0) {
  v1::StreamWindowsRequest request;
  request.mutable_open()->set_series_id(id);
  request.mutable_open()->set_model_name("ecg");
  request.mutable_open()->set_window_length(window_length);
  request.mutable_open()->set_hop(hop);
  return request;
}

inline v1::StreamWindowsRequest Chunk(const std::string& id, const std::vector<float>& values,
                                      std::optional<int64_t> sample_index = std::nullopt) {
  v1::StreamWindowsRequest request;
  request.mutable_chunk()->set_series_id(id);
  if (sample_index) request.mutable_chunk()->set_sample_index(*sample_index);
  request.mutable_chunk()->set_fp32_samples(values.data(), values.size() * sizeof(float));
  return request;
}

inline v1::StreamWindowsRequest Close(const std::string& id) {
  v1::StreamWindowsRequest request;
  request.mutable_close()->set_series_id(id);
  return request;
}

// first, first + 1, …
inline std::vector<float> Ramp(int count, float first = 0) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i) values.push_back(first + static_cast<float>(i));
  return values;
}

inline std::vector<float> Values(const v1::OutputTensor& output) {
  std::vector<float> values(output.fp32_values().size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), output.fp32_values().data(), values.size() * sizeof(float));
  return values;
}

// The client's end of a session, as the reactor is to it.
class Client {
 public:
  explicit Client(PuppetServer& server, const StreamSession::Options& options = {})
      : Client(server.Source(), server.metrics(), options) {}
  Client(ModelSource source, metrics::ServerMetrics& metrics, const StreamSession::Options& options)
      : session_(StreamSession::Create(options, std::move(source), &metrics, [this] { OnChange(); })) {}
  ~Client() { session_->Detach(); }

  StreamSession& session() { return *session_; }
  void Send(v1::StreamWindowsRequest request) { session_->OnRequest(std::move(request)); }

  // The next response, for which it waits. REQUIRES: one will come.
  v1::StreamWindowsResponse Read() {
    v1::StreamWindowsResponse response;
    while (!session_->NextResponse(&response)) AwaitChange();
    return response;
  }
  // All that come until the session has ended, and how it ended.
  std::vector<v1::StreamWindowsResponse> ReadAll(absl::Status* end) {
    std::vector<v1::StreamWindowsResponse> responses;
    while (true) {
      v1::StreamWindowsResponse response;
      if (session_->NextResponse(&response)) {
        responses.push_back(std::move(response));
      } else if (const std::optional<absl::Status> status = session_->FinalStatus()) {
        *end = *status;
        return responses;
      } else {
        AwaitChange();
      }
    }
  }
  void AwaitChange() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&changed_));
    changed_ = false;
  }

 private:
  void OnChange() {
    absl::MutexLock lock(&mutex_);
    changed_ = true;
  }

  absl::Mutex mutex_;
  bool changed_ ABSL_GUARDED_BY(mutex_) = false;
  const std::shared_ptr<StreamSession> session_;
};

}  // namespace stillwave::streaming
