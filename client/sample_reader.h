// Reads a file of samples: .npy, WAV, FLAC or CSV, told apart by their first bytes.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "client/sample_array.h"

namespace stillwave::client {

// Bad input (client/exit_code.h) naming the file when it cannot be read, is empty, is over 4 GiB, or is none of them.
absl::StatusOr<SampleArray> ReadSampleFile(const std::string& path);

}  // namespace stillwave::client
