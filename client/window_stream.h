// One series of samples through TimeSeriesService.StreamWindows.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/result_row.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace stillwave::client {

struct SeriesOptions {
  std::string model_name;
  std::string model_version;        // empty: the newest that is ready
  int64_t window_length = 0;        // samples; 0: the model's own
  int64_t hop = 0;                  // samples; 0: the window's length
  bool pad_partial_window = false;  // false: the last, partial window is dropped
  int64_t first_sample_index = 0;
  int64_t first_window_index = 0;
  double sample_rate_hz = 0;         // 0: unknown
  std::vector<std::string> outputs;  // empty: all
};

struct SeriesOpened {
  std::string model_name;
  std::string model_version;
  int64_t window_length = 0;
  int64_t hop = 0;
  int64_t channels = 0;
  double recomputed_share = 1;  // what a window costs that follows another, of the work for one by itself
  std::string overlap;          // why, in the server's words
};

struct SeriesGap {
  int64_t expected_sample = 0;
  int64_t received_sample = 0;
  int64_t discarded_samples = 0;
};

struct SeriesClosed {
  int64_t windows = 0;
  int64_t samples = 0;
  int64_t partial_samples = 0;  // after the last window, dropped or padded
};

// The server stops after answering what it accepted.
struct Draining {};

using StreamEvent = std::variant<SeriesOpened, ResultRow, SeriesGap, SeriesClosed, Draining>;

// One thread may send while another reads; each of the two is used by one thread at a time. Destruction cancels a call
// that has not ended.
class WindowStream {
 public:
  // Opens the call and asks for the series; the first Read() answers with SeriesOpened or the refusal.
  static std::unique_ptr<WindowStream> Open(const std::shared_ptr<grpc::Channel>& channel,
                                            const SeriesOptions& options);
  ~WindowStream();
  WindowStream(const WindowStream&) = delete;
  WindowStream& operator=(const WindowStream&) = delete;

  // Sends whole samples, all channels of a sample together. Blocks while the server's flow control says so. False when
  // the call has ended; Read() has the reason.
  bool Send(absl::Span<const float> samples);

  // Closes the series: what is due is still answered. Once, after the last Send.
  void Finish();

  // Ends the call at once; Send and Read return soon. Any thread.
  void Cancel();

  // Blocks for the next event; nothing at the orderly end. A refusal of the series (SeriesError) or of the call is the
  // status that it carries.
  absl::StatusOr<std::optional<StreamEvent>> Read();

 private:
  struct Impl;
  explicit WindowStream(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace stillwave::client
