// The order in which nodes can be converted.
#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "server/onnx/onnx_fwd.h"

namespace stillwave::onnx_import {

// "node 'conv1' (Conv)": how messages name a node; by its first output when it has no name.
std::string NodeLabel(const ::onnx::NodeProto& node);

// Indices of all nodes, each value's producer before its readers: the file's own order when that is right already.
// `given` are the names of inputs and initializers. INVALID_ARGUMENT when a value has two producers, is read but not
// produced, or depends on itself. Linear in the file's size, and without recursion.
absl::StatusOr<std::vector<int>> OrderNodes(const ::onnx::GraphProto& graph,
                                            const absl::flat_hash_set<std::string>& given);

}  // namespace stillwave::onnx_import
