// GraphProto -> Graph, once the model around it is checked.
#pragma once

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "server/graph/graph.h"
#include "server/onnx/onnx_fwd.h"

namespace stillwave::onnx_import {

struct GraphImportOptions {
  int64_t opset = 0;                         // of ONNX's own domain
  absl::flat_hash_set<std::string> domains;  // that the model imports
  std::string data_folder;                   // of external data; empty: refused
};

// Empties the initializers of `model`'s graph as they are read, so that large weights are not held twice.
absl::StatusOr<graph::Graph> ImportGraph(::onnx::GraphProto& proto, GraphImportOptions options);

}  // namespace stillwave::onnx_import
