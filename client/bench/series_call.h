// One call of StreamWindows with its series, driven by a completion queue. Only for files that have grpc headers
// anyway.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "client/bench/load_input.h"
#include "client/bench/load_plan.h"
#include "client/bench/load_recorder.h"
#include "stillwave/v1/stream_inference.grpc.pb.h"

namespace stillwave::client::bench {

class SeriesCall;

// What the completion queue hands back: which of a call's operations is done. A call has at most one of each.
struct SeriesEvent {
  enum class Kind { kStarted, kRead, kWritten, kClosed, kFinished };
  SeriesCall* call = nullptr;
  Kind kind = Kind::kStarted;
  bool ok = false;  // what the queue said of it
};

// Results of a series come in the order of its windows, so a queue of what was sent tells what was answered. Not
// thread-safe: the worker's mutex is around it.
class SeriesCall {
 public:
  // Starts the call and asks for `count` series. All pointers outlive it; it outlives its events.
  SeriesCall(const std::shared_ptr<grpc::Channel>& channel, grpc::CompletionQueue* queue, const std::string& model,
             const std::string& version, int64_t count, const SeriesSamples* samples);

  // Before the first Send. Nobody answers before.
  void set_recorder(LoadRecorder* recorder) { recorder_ = recorder; }

  // How many windows the next message of a series completes: one, then SeriesSamples::message_windows.
  int64_t NextWindows(int64_t series) const {
    return series_[static_cast<size_t>(series)].began ? samples_->message_windows : 1;
  }
  // So many more windows of a series. REQUIRES: CanSend(series), windows.size() == NextWindows(series).
  void Send(int64_t series, absl::Span<const PendingRequest> windows);
  // Samples that complete `windows`, which may be none. They outlive the call. REQUIRES: CanSend(series).
  void SendSamples(int64_t series, absl::Span<const float> samples, absl::Span<const PendingRequest> windows);
  bool CanSend(int64_t series) const;
  // No more samples: what is due is still answered, then the call ends.
  void HangUp();
  void Cancel();

  // After each event of the queue. Returns the series whose window was answered, or -1.
  int64_t Handle(SeriesEvent::Kind kind, bool ok);

  bool opened() const { return opened_ == static_cast<int64_t>(series_.size()); }
  bool ended() const { return ended_; }
  int64_t in_flight() const;
  bool AwaitsAnswers(int64_t series) const { return !series_[static_cast<size_t>(series)].in_flight.empty(); }
  // Why it ended, or the refusal of a series.
  const absl::Status& status() const { return status_; }

 private:
  struct Series {
    bool open = false;
    bool began = false;  // its first, whole window was sent
    size_t next_piece = 0;
    std::deque<PendingRequest> in_flight;
  };

  // A message that waits for its turn, not yet encoded: of many series much may wait.
  struct Outgoing {
    int64_t series = 0;
    absl::Span<const float> samples;  // none: the series is to be opened
  };

  void WriteNext();
  void Encode(const Outgoing& outgoing);
  void Read();
  int64_t HandleResponse();
  Series* Find(const std::string& id, int64_t* index);
  void End();
  void Fail(Series* series, const absl::Status& status);

  const SeriesSamples* const samples_;
  LoadRecorder* recorder_ = nullptr;
  std::vector<Series> series_;
  int64_t opened_ = 0;
  const std::string model_;
  const std::string version_;
  std::deque<Outgoing> to_write_;
  bool started_ = false;
  bool writing_ = false;
  bool hanging_up_ = false;
  bool closed_ = false;  // nothing may be written any more
  bool cancelled_ = false;
  bool ended_ = false;
  absl::Status status_;
  SeriesEvent events_[5];
  // In the order in which gRPC wants them to go: stream, context, stub.
  std::unique_ptr<v1::TimeSeriesService::Stub> stub_;
  grpc::ClientContext context_;
  v1::StreamWindowsRequest request_;
  v1::StreamWindowsResponse response_;
  grpc::Status grpc_status_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<v1::StreamWindowsRequest, v1::StreamWindowsResponse>> stream_;
};

}  // namespace stillwave::client::bench
