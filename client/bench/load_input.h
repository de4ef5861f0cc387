// What a benchmark sends: random values in the model's shapes, or those of a file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/model_info.h"
#include "client/sample_array.h"

namespace stillwave::client::bench {

struct InputOptions {
  int64_t batch = 1;              // samples in a request
  std::optional<int64_t> window;  // time steps where the model leaves them open
  std::optional<int64_t> hop;     // of series: samples between window starts; default: the window's length
  int64_t message_windows = 1;    // of series: windows that a message completes
  uint64_t seed = 1;
};

// FP32, row-major, {N, …}.
struct InputTensor {
  std::string name;
  std::vector<int64_t> shape;
  std::vector<float> values;
};

// One ModelInfer request's inputs.
using InferInputs = std::vector<InputTensor>;

// Different requests, to be sent in turns: up to 16 that are standard normal, or up to 64 from `file` (null: random),
// which is cut as `stillwave infer` does it. Usage error when the options do not fit the model, bad input when the
// file does not, or when the model has inputs that are not FP32.
absl::StatusOr<std::vector<InferInputs>> MakeInferInputs(const ModelInfo& model, const InputOptions& options,
                                                         const SampleArray* file);

// A series for StreamWindows: a window, and pieces each of which completes `message_windows` more, to be sent in turns.
struct SeriesSamples {
  int64_t window = 0;
  int64_t hop = 0;
  int64_t channels = 0;
  int64_t message_windows = 1;
  std::vector<float> first;              // window × channels, all channels of a sample together
  std::vector<std::vector<float>> next;  // each message_windows × hop × channels
};

// Errors as MakeInferInputs. REQUIRES: options.batch == 1.
absl::StatusOr<SeriesSamples> MakeSeriesSamples(const ModelInfo& model, const InputOptions& options,
                                                const SampleArray* file);

}  // namespace stillwave::client::bench
