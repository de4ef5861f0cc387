// A network cut at the layers that are in training mode, for one set of input shapes:
//
//   input ─► plan ─► batch statistics ─► plan ─► batch statistics
//
// What follows the last of those layers is left out. Between them the engine's own plans run.
#pragma once

#include <cstddef>
#include <memory>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "server/execution/execution_plan.h"
#include "server/execution/onednn/batch_statistics.h"
#include "server/graph/graph.h"
#include "server/tensor/shape.h"

namespace stillwave::recalibration {

// Values are named by the ids of the network that was compiled.
struct PlanStage {
  std::shared_ptr<const execution::ExecutionPlan> plan;
  std::vector<graph::ValueId> inputs;
  std::vector<graph::ValueId> outputs;
  std::vector<tensor::DataType> output_types;
};

struct NormalizationStage {
  execution::onednn::BatchStatistics statistics;
  graph::ValueId input = graph::kNoValue;
  graph::ValueId output = graph::kNoValue;  // which layer it is
  std::shared_ptr<const tensor::Tensor> scale;
  std::shared_ptr<const tensor::Tensor> shift;
  tensor::Shape shape;  // of input and output
  int64_t values = 0;   // of each channel
};

struct TrainingProgram {
  struct Stage {
    std::variant<PlanStage, NormalizationStage> work;
    std::vector<graph::ValueId> last_read;  // nobody reads these afterwards
  };
  std::vector<Stage> stages;
};

// The outputs of the layers that are in training mode.
using TrainedOutputs = absl::flat_hash_set<graph::ValueId>;

// CompileTraining's errors of the network and the batch, without compiling.
absl::Status CheckTraining(const graph::Graph& network, const TrainedOutputs& trained, const tensor::Shape& batch);

// `network` has one input and went through passes::SimplifyGraph. INVALID_ARGUMENT or UNIMPLEMENTED, naming the node,
// when the network cannot take the batch; OUT_OF_RANGE, naming the layer, when a layer sees one value for each channel:
// its variance is undefined.
absl::StatusOr<TrainingProgram> CompileTraining(const graph::Graph& network, const TrainedOutputs& trained,
                                                const tensor::Shape& batch);

}  // namespace stillwave::recalibration
