// Sends a source's samples and reports the answers at the same time.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/interrupt.h"
#include "client/sample_source.h"
#include "client/stream_report.h"
#include "client/stream_summary.h"
#include "client/window_stream.h"

namespace stillwave::client {

struct Pace {
  int64_t chunk_samples = 4096;  // at most, in one message; positive
  double realtime_rate_hz = 0;   // samples a second; 0: as fast as the server takes them
};

// One run over a stream whose SeriesOpened was read. The calling thread sends, a second one reads and prints, so that
// neither waits for the other and a slow server slows the sending. Everything passed must outlive the object.
class StreamRun {
 public:
  StreamRun(WindowStream* stream, SampleSource* source, StreamReport* report, Interrupt* interrupt, Pace pace);

  // Until the source is at its end and all is answered, an error, or Ctrl-C, which closes the series and waits for
  // what is due. The summary is filled also when the status is an error: the source's, the server's or the report's.
  absl::Status Run(StreamSummary* summary);

 private:
  absl::Status SendAll();
  bool WaitForTurn(int64_t samples);  // false when there is no more point in sending
  absl::Status ReadAll();
  absl::Status Handle(const StreamEvent& event);
  absl::Duration Elapsed() const;

  WindowStream* const stream_;
  SampleSource* const source_;
  StreamReport* const report_;
  Interrupt* const interrupt_;
  const Pace pace_;
  const absl::Time start_;
  std::atomic<int64_t> samples_sent_{0};
  std::atomic<bool> reading_ended_{false};
  std::optional<SeriesClosed> closed_;  // the reading thread's until it is joined
};

}  // namespace stillwave::client
