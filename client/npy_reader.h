// .npy files as the client's samples.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/sample_array.h"

namespace stillwave::client {

// `bytes` is a whole file, as npy::ParseNpy takes it. Bad input (client/exit_code.h) naming `source` for anything else.
absl::StatusOr<SampleArray> ParseNpy(absl::string_view bytes, absl::string_view source);

}  // namespace stillwave::client
