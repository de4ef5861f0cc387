// The forward pass of a network of which some BatchNormalization layers are in training mode, and everything else as it
// is when served: the others normalize by their stored statistics, Dropout is off.
#pragma once

#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "server/execution/execution_context.h"
#include "server/graph/graph.h"
#include "server/recalibration/running_statistics.h"
#include "server/recalibration/training_program.h"
#include "server/tensor/tensor.h"

namespace stillwave::recalibration {

// Compiles anew when a batch has another shape than the one before, so batches of one shape should follow each other.
// Holds activations only as long as a later layer reads them. Not thread-safe.
class TrainingForward {
 public:
  // `network` has one FP32 input and went through passes::SimplifyGraph; it must outlive this. `trained`: the outputs
  // of its layers that are in training mode.
  TrainingForward(const graph::Graph& network, TrainedOutputs trained);

  // Called for each layer in training mode in the order of computation, with the value that the layer produces and
  // what the batch is like at its input.
  using Observer = absl::FunctionRef<absl::Status(graph::ValueId output, const BatchMoments& moments)>;

  // Errors as CompileTraining's, and the observer's.
  absl::Status Run(const tensor::Tensor& batch, Observer observer);

 private:
  const graph::Graph& network_;
  const TrainedOutputs trained_;
  execution::ExecutionContext context_;
  std::optional<TrainingProgram> program_;
  tensor::Shape compiled_for_;
};

}  // namespace stillwave::recalibration
