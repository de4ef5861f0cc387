// NumPy's .npy files, read exactly and with every size checked.
//
// Our own because no library in Debian fits: xtensor's load_npy wants the element type at compile time, keeps no
// promise about truncated or hostile files (the byte count of a read is not looked at, sizes overflow, header lengths
// from 128 to 255 are sign-extended), does not know version 3, and is the only one there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace stillwave::npy {

// More values than this (1 GiB as FP32) are refused.
inline constexpr int64_t kMaxValues = int64_t{1} << 28;

struct NpyArray {
  std::vector<int64_t> shape;  // rank 1 to 4, no zero
  std::vector<float> values;   // row-major
  int64_t not_finite = 0;      // values that are NaN or infinite
};

// "[1,3,80]".
std::string ShapeText(const std::vector<int64_t>& shape);

// The product. INVALID_ARGUMENT for no dimension, one that is not positive, and for more than kMaxValues.
absl::StatusOr<int64_t> CountElements(const std::vector<int64_t>& shape);

// `bytes` is a whole file. Elements: little-endian f4, f8, i2, i4, i8, u2, and i1, u1; C or Fortran order; rank 1 to 4.
// INVALID_ARGUMENT for anything else, also when bytes are missing or left over and when a finite number does not fit
// into FP32. The caller puts the file's name in front.
absl::StatusOr<NpyArray> ParseNpy(absl::string_view bytes);

}  // namespace stillwave::npy
