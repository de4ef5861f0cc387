// One open series: its window and the order of its responses.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/streaming/open_series.h"
#include "server/streaming/sliding_window.h"
#include "server/tensor/tensor.h"
#include "stillwave/v1/stream_inference.pb.h"

namespace stillwave::streaming {

// Windows that are formed and want to be computed, each a hop behind the one before it.
struct FormedWindows {
  std::vector<WindowInfo> infos;
  tensor::Tensor input;    // of SeriesInfo::input_shape, a row for each
  int64_t first_slot = 0;  // where the first one's response belongs; the others' follow

  int64_t count() const { return static_cast<int64_t>(infos.size()); }
};

// Responses leave in the order of their slots, whatever order they are filled in. Not thread-safe: the session guards
// it.
class Series {
 public:
  enum class State {
    kOpen,     // takes samples
    kClosing,  // was closed; its last responses are not out yet
    kFailed,   // an error is on its way to the client; what else the client sends is ignored
    kEnded,    // the last response has left
  };

  explicit Series(SeriesInfo info);

  const std::shared_ptr<const SeriesInfo>& info() const { return info_; }
  State state() const { return state_; }
  // How it ended or will end. OK while it has not failed.
  const absl::Status& error() const { return error_; }

  // Starts a chunk: checks it, passes over samples that came before, and makes a slot for the gap in front of it, if
  // there is one. Borrows the chunk until it is done. REQUIRES: state is kOpen and the chunk before is done.
  absl::Status BeginChunk(const v1::SampleChunk& chunk);
  // Takes samples of the chunk until a window is complete or all are taken.
  void Feed();
  // A window waits to be formed.
  bool window_complete() const { return window_.complete(); }
  // The window, and those that the samples left in the chunk complete behind it, `most` together. REQUIRES:
  // window_complete(), most > 0. RESOURCE_EXHAUSTED when there is no memory.
  absl::StatusOr<FormedWindows> FormWindows(int64_t most);
  // All samples of the chunk are taken and no window is left to form.
  bool chunk_done() const { return chunk_taken_ == chunk_.samples && !window_.complete(); }

  // True when the series pads and has samples that no window covers: FormPaddedWindow before Close.
  bool HasPartialWindow() const;
  absl::StatusOr<FormedWindows> FormPaddedWindow();
  // No more samples; the last slot is SeriesClosed. REQUIRES: state is kOpen, !HasPartialWindow().
  void Close();

  // Windows that were formed and are not computed yet; the session counts them.
  int64_t windows_in_flight = 0;

  // Responses that have a slot and have not left.
  int64_t pending() const { return static_cast<int64_t>(slots_.size()); }

  // Fills the slot of a window; ignored when the series has failed before that window.
  void Fill(int64_t slot, v1::StreamWindowsResponse response);
  // The series ends with `error` at that slot: what lies before it is still answered, what lies behind is dropped.
  void FailAt(int64_t slot, absl::Status error);
  // The same behind all slots so far.
  void Fail(absl::Status error);

  // The next response whose turn it is, or nothing.
  std::optional<v1::StreamWindowsResponse> PopResponse();

 private:
  using Slot = std::optional<v1::StreamWindowsResponse>;

  int64_t AddSlot();

  const std::shared_ptr<const SeriesInfo> info_;
  SlidingWindow window_;
  State state_ = State::kOpen;
  absl::Status error_;
  ChunkView chunk_;
  int64_t chunk_taken_ = 0;             // samples of chunk_
  int64_t repeated_samples_ = 0;        // that were passed over
  int64_t padded_partial_samples_ = 0;  // that the padded window covers
  std::deque<Slot> slots_;
  int64_t first_slot_ = 0;  // number of slots_.front()
};

}  // namespace stillwave::streaming
