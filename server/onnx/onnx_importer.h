// From an ONNX file to the graph IR.
//
// Reads IR versions 3 to 13 and opsets 1 to 25 of ONNX's own domain, and turns every opset's spelling of an operator
// into the one form of graph/op.h. What it can't take over exactly it refuses, naming the node and the fault:
//   INVALID_ARGUMENT     the file is broken or contradicts itself
//   FAILED_PRECONDITION  the network was not exported for inference (training mode); the message says the cure
//   UNIMPLEMENTED        an operator, attribute, type or feature that is not supported
//   NOT_FOUND            the file, or an external data file, is not there
//   RESOURCE_EXHAUSTED   a limit of limits.h is exceeded, or there is no memory
//
// Declared shapes of anything but graph inputs are ignored, because real files lie in them; shape inference finds the
// types and shapes of all other values. In a graph input's shape a dimension that is symbolic, missing, zero or
// negative is dynamic. Graph inputs that are initializers too are weights, not inputs of the graph.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/graph/graph.h"

namespace stillwave::onnx_import {

// metadata_props: keys and values in the file's order.
using Metadata = std::vector<std::pair<std::string, std::string>>;

// External data is read from files in the folder of `path` only. `metadata`, where given, gets what the file has.
absl::StatusOr<graph::Graph> ImportFile(const std::string& path, Metadata* metadata = nullptr);

// External data is read from files in `data_folder` only; when that is empty, external data is refused.
absl::StatusOr<graph::Graph> ImportBytes(absl::string_view bytes, const std::string& data_folder,
                                         Metadata* metadata = nullptr);

}  // namespace stillwave::onnx_import
