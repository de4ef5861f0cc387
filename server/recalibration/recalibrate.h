// The whole of it: a model and samples in, a model with other running statistics out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/recalibration/layer_drift.h"

namespace stillwave::recalibration {

struct RecalibrationOptions {
  std::string model;
  std::vector<std::string> data;  // .npy files, in order
  std::string output;
  // The share of each new batch, over 0 and up to 1; none: the plain average over all batches, stored values forgotten.
  std::optional<double> momentum = 0.1;
  std::vector<std::string> layers;  // empty: all; the others normalize by what is stored
  std::optional<int64_t> batch;     // samples; see CalibrationData
  bool force = false;               // replace `output`
  // Told before the first batch and after each. May be empty.
  std::function<void(int64_t done, int64_t batches)> progress;
};

struct LayerReport {
  std::string name;
  std::vector<std::string> node_names;
  int64_t channels = 0;
  bool was_shared = false;  // see StoredStatistics::Layer
  // Stored statistics against those of the data: the plain average over all batches.
  LayerDrift before;
  LayerDrift after;
};

struct RecalibrationReport {
  int64_t batches = 0;
  int64_t samples = 0;
  std::vector<LayerReport> layers;
};

// Layers normalize by each batch's own statistics while it runs, as under PyTorch's train() with Dropout off; a module
// that the network applies several times is updated as often. Writes options.output only when all went well, and only
// what the server would take. Errors:
//   OUT_OF_RANGE, ALREADY_EXISTS       an option does not fit the model, the data or what is there
//   FAILED_PRECONDITION, UNIMPLEMENTED the model cannot be recalibrated: nothing to do, not frozen, not supported
//   others                             a file cannot be read, does not fit, or cannot be written
absl::StatusOr<RecalibrationReport> Recalibrate(const RecalibrationOptions& options);

}  // namespace stillwave::recalibration
