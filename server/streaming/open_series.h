// From a client's OpenSeries to a series whose every number is checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/overlap/overlap_runner.h"
#include "server/streaming/chunk_view.h"
#include "server/streaming/sliding_window.h"
#include "server/streaming/step_outputs.h"
#include "server/streaming/stream_model.h"
#include "server/tensor/shape.h"
#include "stillwave/v1/stream_inference.pb.h"

namespace stillwave::streaming {

struct SeriesLimits {
  int64_t max_id_bytes = 256;
  // Samples per window, and samples per hop.
  int64_t max_window_length = int64_t{1} << 24;
  int64_t max_channels = 4096;
  // Of one window's values, and of one window's outputs. Memory per stream is a small multiple of it.
  int64_t max_window_bytes = int64_t{4} << 20;
};

// Bytes of an open series beside its window and what is kept of it: names, counts, the places of its messages.
inline constexpr int64_t kSeriesStateBytes = 4096;

// Immutable while the series lives; its windows in flight share it.
struct SeriesInfo {
  std::string id;
  StreamModel model;
  SlidingWindow::Options window;
  ChunkLayout layout = ChunkLayout::kSamplesFirst;
  Int16Scaling int16_scaling;
  bool pad_partial_window = false;
  bool drop_repeated_samples = false;
  double sample_rate_hz = 0;  // 0: unknown
  tensor::Shape input_shape;  // {1, C, L}, or {1, L} for a model whose input is {N, T}
  // What is answered of a window, in the order asked for. An output without a time axis has no steps.
  struct Output {
    size_t index = 0;  // into model.signature.outputs
    tensor::Shape shape;
    std::optional<StepAxis> steps;
  };
  std::vector<Output> outputs;
  bool new_steps_only = false;
  // What keeps what windows share; null: every window is computed in full, and why.
  std::shared_ptr<const overlap::SeriesReuse> reuse;
  std::string full_windows_because;

  int64_t WindowBytes() const { return window.channels * window.length * static_cast<int64_t>(sizeof(float)); }
  // What an open series holds at most, between its messages: its window, what is kept of the last one, and the state.
  // Windows in flight, and messages that wait, are bounded for a call (StreamSession::Options).
  int64_t MemoryBytes() const;
};

// Finds the model and checks the series against it. Streams run models with one FP32 input {N, C, T} or {N, T} whose
// channel count is fixed. INVALID_ARGUMENT naming field, rule and value; the model source's own errors for the model.
absl::StatusOr<SeriesInfo> ResolveSeries(const v1::OpenSeries& request, const ModelSource& source,
                                         const SeriesLimits& limits);

}  // namespace stillwave::streaming
