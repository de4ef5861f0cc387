// Result rows as the bytes of a file. A format is chosen by the file's suffix: client/prediction_file.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/result_row.h"
#include "client/result_table.h"

namespace stillwave::client {

// Not thread-safe.
class PredictionWriter {
 public:
  virtual ~PredictionWriter() = default;

  // What comes before the rows, all of which have `first`'s outputs. Called once, before the first Row. Usage error
  // when the format cannot hold such rows.
  virtual absl::StatusOr<std::string> Begin(const ResultRow& first) = 0;
  // INTERNAL when the row's outputs are not those of the first one.
  virtual absl::StatusOr<std::string> Row(const ResultRow& row) = 0;
  // What replaces the bytes of Begin, of the same length, when all `rows` are written; empty: nothing.
  virtual std::string BeginOf(int64_t rows) const = 0;
};

// A header, then a line for each row: window, samples, times when the rate is known, class, label and probability where
// there are classes, and a column for each value of each output.
std::unique_ptr<PredictionWriter> MakeCsvWriter(ResultFormat format);

// A structured array of NumPy's: the fields window, first_sample, last_sample (int64) and each output (float32) under
// its name, with characters other than letters, digits and "_.-/" replaced by "_".
std::unique_ptr<PredictionWriter> MakeNpyWriter();

// "0.1" for 0.1f: the fewest digits that give back the same FP32.
std::string ShortestFloat(float value);

}  // namespace stillwave::client
