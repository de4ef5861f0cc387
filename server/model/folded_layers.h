// What a file's metadata say of batch normalization layers that its exporter folded: docs/drift-metadata.md has the
// form.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/graph/graph.h"
#include "server/onnx/onnx_importer.h"

namespace stillwave::model {

inline constexpr char kFoldedLayerKey[] = "stillwave.batchnorm.";

// y = scale (x - mean) / √(variance + epsilon) + shift, one entry a channel.
struct FoldedLayer {
  std::string name;
  graph::ValueId output = graph::kNoValue;  // y: what the node gives that the layer was folded into
  std::vector<float> mean;
  std::vector<float> variance;
  std::vector<float> scale;
  std::vector<float> shift;
  double epsilon = 0;
};

// The layers of `network` that the metadata describe, in the order in which they run. An entry that cannot be read, or
// names no value that a node makes, is passed over with a line in the log: it says nothing about the answers.
std::vector<FoldedLayer> ReadFoldedLayers(const onnx_import::Metadata& metadata, const graph::Graph& network);

// One entry's value, without `output`. INVALID_ARGUMENT with what is wrong.
absl::StatusOr<FoldedLayer> ParseFoldedLayer(absl::string_view json);

}  // namespace stillwave::model
