// The header of NumPy's .npy files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace stillwave::client {

// True when `bytes` begin as an .npy file does.
bool HasNpyMagic(absl::string_view bytes);

// The fields of the header, and where the elements begin.
struct NpyHeader {
  std::string descr;  // NumPy's type code: "<f4"
  bool fortran_order = false;
  std::vector<int64_t> shape;
  size_t data_offset = 0;  // bytes from the start of the file
};

// Format versions 1, 2 and 3; the dictionary's keys in any order. The size of the data is not looked at.
absl::StatusOr<NpyHeader> ParseNpyHeader(absl::string_view bytes);

}  // namespace stillwave::client
