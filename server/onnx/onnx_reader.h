// Reads a ModelProto and checks what does not need the graph: the file's kind and size, versions, and features that
// no model here may use.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/onnx/onnx_fwd.h"

namespace stillwave::onnx_import {

// NOT_FOUND when there is no such file. Anything but a regular file is refused. The file is streamed, not held twice.
// RESOURCE_EXHAUSTED when it is too large or has too many parts (limits.h).
absl::StatusOr<std::unique_ptr<::onnx::ModelProto>> ReadModelFile(const std::string& path);

absl::StatusOr<std::unique_ptr<::onnx::ModelProto>> ParseModel(absl::string_view bytes);

// The version of ONNX's own domain. Refuses other IR versions and opsets than limits.h allows, functions, training
// information, and a missing graph.
absl::StatusOr<int64_t> CheckModel(const ::onnx::ModelProto& model);

}  // namespace stillwave::onnx_import
