// The graph while it grows, and what its names stand for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "server/graph/graph.h"
#include "server/onnx/initializer_reader.h"

namespace stillwave::onnx_import {

struct ImportState {
  explicit ImportState(std::string data_folder) : initializers(std::move(data_folder)) {}

  // The constant that `value` is, also through Identity nodes; null when it is computed.
  const tensor::Tensor* ConstantOf(graph::ValueId value) const;

  // `wanted`, or with a number behind it when a value of the file or of the graph has that name already.
  std::string UniqueValueName(absl::string_view wanted);

  graph::Graph graph;
  int64_t opset = 0;
  InitializerReader initializers;
  absl::flat_hash_map<std::string, graph::ValueId> ids;
  // Every value name that some node or the graph's output list reads.
  absl::flat_hash_set<std::string> used_names;
  // Every value name of the file, produced yet or not, and those made here.
  absl::flat_hash_set<std::string> all_names;
  // For the output of an Identity node: its input.
  absl::flat_hash_map<graph::ValueId, graph::ValueId> identity_source;
};

}  // namespace stillwave::onnx_import
