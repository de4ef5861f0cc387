// Files with one .npy array each.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "server/npy/npy_array.h"
#include "server/npy/npy_header.h"

namespace stillwave::npy {

// Errors name the file: NOT_FOUND when there is none, INVALID_ARGUMENT when it cannot be read, is no regular file, or
// is not what ParseNpy takes.
absl::StatusOr<NpyArray> ReadNpyFile(const std::string& path);

// The header only, of an array that ReadNpyFile would take by its shape.
absl::StatusOr<NpyHeader> ReadNpyFileHeader(const std::string& path);

}  // namespace stillwave::npy
