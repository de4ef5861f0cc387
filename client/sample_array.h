// The samples of a file, as numbers and not yet as a series or a batch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace stillwave::client {

// More values than this (1 GiB as FP32) are refused.
inline constexpr int64_t kMaxSampleValues = int64_t{1} << 28;

// How it is read depends on the model: {S} and {S, C} are S samples of C channels where the model takes {N, C, T};
// an array of the rank that the model takes is a ready batch.
struct SampleArray {
  std::string source;                     // the file's name, for messages
  std::vector<int64_t> shape;             // rank 1 to 4, no zero
  std::vector<float> values;              // row-major
  std::vector<std::string> column_names;  // from a CSV header: one for each column, or none
  int64_t not_finite = 0;                 // values that are NaN or infinite
  double sample_rate_hz = 0;              // from a sound file; 0: unknown
};

// "[1,3,80]".
std::string ShapeText(const std::vector<int64_t>& shape);

// Positions of the columns that `wanted` names: by the header's names, or by numbers from 1. Empty `wanted`: all.
// Usage error for a column that is not there.
absl::StatusOr<std::vector<int64_t>> FindColumns(const std::vector<std::string>& wanted, int64_t columns,
                                                 const std::vector<std::string>& names);

// {S, C} with only the columns wanted (see FindColumns), in that order; any array when none is named. Usage error for
// columns of arrays of another rank.
absl::StatusOr<SampleArray> SelectColumns(SampleArray array, const std::vector<std::string>& wanted);

}  // namespace stillwave::client
