// The header of NumPy's .npy files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace stillwave::npy {

// True when `bytes` begin as an .npy file does.
bool HasNpyMagic(absl::string_view bytes);

// No whole header is longer.
inline constexpr size_t kMaxNpyHeaderBytes = 65536 + 12;

// The fields of the header, and where the elements begin.
struct NpyHeader {
  std::string descr;  // NumPy's type code: "<f4"
  bool fortran_order = false;
  std::vector<int64_t> shape;
  size_t data_offset = 0;  // bytes from the start of the file
};

// Format versions 1, 2 and 3; the dictionary's keys in any order. The size of the data is not looked at.
// INVALID_ARGUMENT for anything else.
absl::StatusOr<NpyHeader> ParseNpyHeader(absl::string_view bytes);

}  // namespace stillwave::npy
