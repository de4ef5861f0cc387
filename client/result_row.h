// The answer for one window or one row of a batch, as `infer` and `stream` print it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stillwave::client {

// One output tensor of one row, without the batch axis.
struct OutputValues {
  std::string name;
  std::string datatype;  // "FP32"; the values are exact in double for all but large INT64
  std::vector<int64_t> shape;
  std::vector<double> values;  // row-major
};

// Both inclusive, counted from the series' first sample.
struct SampleRange {
  int64_t first = 0;
  int64_t last = 0;
};

struct ResultRow {
  int64_t index = 0;                   // of the window, or of the row of a ready batch
  std::optional<SampleRange> samples;  // absent for rows of a ready batch
  int64_t padded_samples = 0;          // zeros at the window's end
  std::vector<OutputValues> outputs;
};

}  // namespace stillwave::client
