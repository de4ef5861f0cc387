#include "server/recalibration/training_forward.h"

#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "server/base/status_macros.h"

namespace stillwave::recalibration {
namespace {

using graph::ValueId;
using tensor::Tensor;

// The activations that a later stage reads; the batch itself is the caller's.
class LiveValues {
 public:
  LiveValues(ValueId input, const Tensor& batch) : input_(input), batch_(batch) {}

  const void* Data(ValueId id) const { return id == input_ ? batch_.data() : owned_.at(id).data(); }
  absl::StatusOr<void*> Make(ValueId id, tensor::DataType type, const tensor::Shape& shape) {
    ASSIGN_OR_RETURN(Tensor tensor, Tensor::Create(type, shape));
    return owned_.insert_or_assign(id, std::move(tensor)).first->second.mutable_data();
  }
  void Release(const std::vector<ValueId>& ids) {
    for (const ValueId id : ids) owned_.erase(id);
  }

 private:
  const ValueId input_;
  const Tensor& batch_;
  absl::flat_hash_map<ValueId, Tensor> owned_;
};

absl::Status RunPlan(const PlanStage& stage, execution::ExecutionContext& context, LiveValues& values) {
  std::vector<const void*> sources;
  std::vector<void*> targets;
  for (const ValueId id : stage.inputs) sources.push_back(values.Data(id));
  for (size_t i = 0; i < stage.outputs.size(); ++i) {
    ASSIGN_OR_RETURN(void* const target,
                     values.Make(stage.outputs[i], stage.output_types[i], stage.plan->output_shapes()[i]));
    targets.push_back(target);
  }
  return stage.plan->Run(context, sources, targets);
}

absl::Status Normalize(NormalizationStage& stage, LiveValues& values, TrainingForward::Observer observer) {
  const auto channels = static_cast<size_t>(stage.shape[1]);
  std::vector<float> mean(channels);
  std::vector<float> variance(channels);
  ASSIGN_OR_RETURN(void* const target, values.Make(stage.output, tensor::DataType::kFloat32, stage.shape));
  RETURN_IF_ERROR(stage.statistics.Run(static_cast<const float*>(values.Data(stage.input)),
                                       stage.scale->values<float>().data(), stage.shift->values<float>().data(),
                                       mean.data(), variance.data(), static_cast<float*>(target)));
  return observer(stage.output, {mean, variance, stage.values});
}

}  // namespace

TrainingForward::TrainingForward(const graph::Graph& network, TrainedOutputs trained)
    : network_(network), trained_(std::move(trained)) {
  execution::ExecutionContext::UseOneThread();
}

absl::Status TrainingForward::Run(const Tensor& batch, Observer observer) {
  if (!program_.has_value() || batch.shape() != compiled_for_) {
    program_.reset();
    ASSIGN_OR_RETURN(program_, CompileTraining(network_, trained_, batch.shape()));
    compiled_for_ = batch.shape();
  }
  LiveValues values(network_.inputs()[0], batch);
  for (TrainingProgram::Stage& stage : program_->stages) {
    if (const auto* plan = std::get_if<PlanStage>(&stage.work)) {
      RETURN_IF_ERROR(RunPlan(*plan, context_, values));
    } else {
      RETURN_IF_ERROR(Normalize(std::get<NormalizationStage>(stage.work), values, observer));
    }
    values.Release(stage.last_read);
  }
  return absl::OkStatus();
}

}  // namespace stillwave::recalibration
