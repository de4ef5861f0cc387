// NumPy's .npy files, read exactly and with every size checked.
//
// Our own because no library in Debian fits: xtensor's load_npy wants the element type at compile time, keeps no
// promise about truncated or hostile files (the byte count of a read is not looked at, sizes overflow, header lengths
// from 128 to 255 are sign-extended), does not know version 3, and is the only one there.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/sample_array.h"

namespace stillwave::client {

// `bytes` is a whole file. Elements: little-endian f4, f8, i2, i4, i8, u2, and i1, u1; C or Fortran order; rank 1 to 4.
// Bad input (client/exit_code.h) naming `source` for anything else, also when bytes are missing or left over and when
// a finite number does not fit into FP32.
absl::StatusOr<SampleArray> ParseNpy(absl::string_view bytes, absl::string_view source);

}  // namespace stillwave::client
