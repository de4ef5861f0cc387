// Turns a file's samples into the batch that a model takes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "client/model_info.h"
#include "client/result_row.h"
#include "client/sample_array.h"

namespace stillwave::client {

// What the user asked for; an absent number has a default that depends on file and model.
struct InferSelection {
  std::optional<int64_t> window_length;  // samples; default: the model's fixed length
  std::optional<int64_t> hop;            // samples; default: the window's length
  std::optional<int64_t> batch;          // windows or rows; default: one window, or all rows of a ready batch
  int64_t start = 0;                     // first sample, or first row of a ready batch
};

struct InferInput {
  std::vector<int64_t> shape;  // {N, C, T}, or as the ready batch
  std::vector<float> values;   // row-major
  // One entry for each row: its number and, for windows, its samples. Outputs are still empty.
  std::vector<ResultRow> rows;
};

// A file of the model's own rank is a ready batch, of which rows are taken; rank 1 or 2 is a series {S} or {S, C} from
// which windows are cut, for models of {N, C, T} and (one channel) {N, T}. Usage error for a selection that does not
// fit, bad input when the file does not.
absl::StatusOr<InferInput> MakeInferInput(const SampleArray& samples, const TensorInfo& model_input,
                                          const InferSelection& selection);

}  // namespace stillwave::client
