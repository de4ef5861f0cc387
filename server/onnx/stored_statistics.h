// Where a model file keeps the running statistics of its BatchNormalization nodes, and how others get into their place.
//
//   initializer, or Constant node ──[Identity …]──► mean ──► BatchNormalization, used once or several times
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/onnx/onnx_fwd.h"

namespace stillwave::onnx_import {

// Holds the whole file. Movable. Not thread-safe.
class StoredStatistics {
 public:
  // The nodes that normalize by one mean and one variance: several where the network applies one module several times.
  struct Layer {
    // PyTorch's name of the module ("features.1") where the mean is called "features.1.running_mean"; else the first
    // node's.
    std::string name;
    std::vector<std::string> node_names;  // as in the file
    std::vector<std::string> outputs;     // the values that the nodes produce
    // Something else reads the same tensor (exporters keep equal weights once), so Set gives the layer one of its own.
    bool was_shared = false;
  };

  // The file as ReadModelFile reads it, and its errors. INVALID_ARGUMENT or UNIMPLEMENTED, naming the node, when a
  // statistic is no FP32 initializer and no FP32 Constant.
  static absl::StatusOr<StoredStatistics> Read(const std::string& path);

  StoredStatistics(StoredStatistics&&) noexcept;
  StoredStatistics& operator=(StoredStatistics&&) noexcept;
  ~StoredStatistics();

  // In the order of the file; none when the exporter folded every BatchNormalization into a convolution.
  const std::vector<Layer>& layers() const { return layers_; }

  // Puts these in the place of the layer's statistics, in the encoding that the file has for them; what lay in external
  // data then lies in the model. Nothing else of the model changes, but for shared tensors (see was_shared): there an
  // initializer is added, and an Identity node that stood for it goes. REQUIRES: one value for each channel; called
  // once for a layer at most.
  void Set(size_t layer, absl::Span<const float> mean, absl::Span<const float> variance);

  // Locations of the external data that the model now refers to, relative to its folder.
  std::set<std::string> DataFiles() const;

  // The model's bytes.
  absl::StatusOr<std::string> Serialize() const;

 private:
  struct Place;

  StoredStatistics();

  std::unique_ptr<::onnx::ModelProto> model_;
  std::vector<Layer> layers_;
  std::vector<Place> places_;  // mean and variance of each layer
};

}  // namespace stillwave::onnx_import
