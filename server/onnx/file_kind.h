// Tells apart what lands in a model's place by mistake.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace stillwave::onnx_import {

// INVALID_ARGUMENT with one sentence when a file that begins with `head` is known not to be ONNX: empty, a Git LFS
// pointer, a web page, a zip or another archive, a HDF5 or TensorFlow Lite model, plain text. OK for the rest.
absl::Status CheckFileKind(absl::string_view head);

// How many bytes of a file CheckFileKind looks at.
inline constexpr size_t kFileKindBytes = 512;

}  // namespace stillwave::onnx_import
