// Sends a source's samples and reports the answers at the same time, over as many calls as it takes.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/interrupt.h"
#include "client/replay_buffer.h"
#include "client/sample_source.h"
#include "client/stream_report.h"
#include "client/stream_summary.h"
#include "client/window_stream.h"

namespace stillwave::client {

struct Pace {
  int64_t chunk_samples = 4096;  // at most, in one message; positive
  double realtime_rate_hz = 0;   // samples a second; 0: as fast as the server takes them
};

// How a series goes on when its call breaks with UNAVAILABLE: a server that is restarted, a connection that is lost.
struct ResumePlan {
  // Opens the series again at a sample, its windows counted from `window`; null: a broken call is the end.
  std::function<absl::StatusOr<std::unique_ptr<WindowStream>>(int64_t sample, int64_t window)> reopen;
  absl::Duration patience = absl::Seconds(30);  // how long it may take to find the server again
  int64_t first_sample = 0;                     // index of the source's first sample
};

// One run over a stream whose SeriesOpened was read. The calling thread sends, a second one reads and prints, so that
// neither waits for the other and a slow server slows the sending. Everything passed must outlive the object.
class StreamRun {
 public:
  StreamRun(std::unique_ptr<WindowStream> stream, int64_t hop, SampleSource* source, StreamReport* report,
            Interrupt* interrupt, Pace pace, ResumePlan resume);

  // Until the source is at its end and all is answered, an error, or Ctrl-C, which closes the series and waits for
  // what is due. The summary is filled also when the status is an error: the source's, the server's or the report's.
  absl::Status Run(StreamSummary* summary);

 private:
  // One call, to its end.
  absl::Status Attempt();
  bool MayResume(const absl::Status& status) const;
  // Waits and asks until the series is open again.
  absl::Status Resume(const absl::Status& reason);
  absl::Status SendAll();
  bool SendAgain();  // what the broken call left unanswered; false when there is no more point in it
  bool SendNew(absl::Span<const float> chunk);
  bool WaitForTurn(int64_t samples);  // false when there is no more point in sending
  absl::Status ReadAll();
  absl::Status Handle(StreamEvent event);
  absl::Status HandleWindow(ResultRow row);
  absl::Duration Elapsed() const;

  std::unique_ptr<WindowStream> stream_;
  const int64_t hop_;
  SampleSource* const source_;
  StreamReport* const report_;
  Interrupt* const interrupt_;
  const Pace pace_;
  const ResumePlan resume_;
  const absl::Time start_;
  ReplayBuffer replay_;
  std::atomic<int64_t> samples_sent_{0};  // each counted once
  std::atomic<bool> reading_ended_{false};
  bool source_failed_ = false;
  int64_t resumed_ = 0;
  // The reading thread's until it is joined.
  std::optional<SeriesClosed> closed_;
  int64_t next_window_ = 0;                      // that is not answered
  int64_t next_window_sample_;                   // where it begins; may lie ahead of what was sent
  std::optional<int64_t> server_window_offset_;  // what the call's numbers lack, once a window has told
  int64_t first_sample_of_call_;                 // not changed while the reading thread runs
  // The outage that goes on until a window is answered.
  int64_t lost_at_window_ = -1;
  absl::Time give_up_at_;
  absl::Duration backoff_;
};

}  // namespace stillwave::client
