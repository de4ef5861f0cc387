#include "server/drift/layer_observer.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"

namespace stillwave::drift {

using tensor::Shape;
using tensor::Tensor;

LayerObserver::LayerObserver(std::shared_ptr<const model::LoadedModel> model)
    : model_(std::move(model)), observed_(ObserveBatchNorm(model_->normalizing_network(), model_->folded_layers())) {}

absl::StatusOr<LayerObserver::PlanPtr> LayerObserver::PlanFor(absl::Span<const Tensor> inputs) {
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) shapes.push_back(input.shape());
  const auto known =
      std::find_if(plans_.begin(), plans_.end(), [&](const PlanPtr& plan) { return plan->input_shapes() == shapes; });
  if (known != plans_.end()) {
    plans_.splice(plans_.begin(), plans_, known);
    return plans_.front();
  }
  ASSIGN_OR_RETURN(PlanPtr plan, model_->CompilePart(observed_.graph, shapes));
  if (plans_.size() >= kMaxPlans) plans_.pop_back();
  plans_.push_front(std::move(plan));
  return plans_.front();
}

absl::StatusOr<std::vector<ChannelMoments>> LayerObserver::Observe(execution::ExecutionContext& context,
                                                                   absl::Span<const Tensor> inputs) {
  SW_CHECK(inputs.size() == model_->signature().inputs.size());
  ASSIGN_OR_RETURN(const PlanPtr plan, PlanFor(inputs));
  std::vector<const void*> sources;
  for (const Tensor& input : inputs) sources.push_back(input.data());
  std::vector<Tensor> activations;
  std::vector<void*> targets;
  for (const Shape& shape : plan->output_shapes()) {
    ASSIGN_OR_RETURN(Tensor activation, Tensor::Create(tensor::DataType::kFloat32, shape));
    targets.push_back(activation.mutable_data());
    activations.push_back(std::move(activation));
  }
  RETURN_IF_ERROR(plan->Run(context, sources, absl::MakeSpan(targets)));
  std::vector<ChannelMoments> moments;
  for (const WatchedLayer& layer : observed_.layers) {
    const Tensor& activation = activations[layer.output];
    const Shape& shape = activation.shape();
    if (shape.rank() < 2 || shape[1] != static_cast<int64_t>(layer.stored.mean.size())) {
      return absl::InternalError(absl::StrCat("layer '", layer.name, "' must read ", layer.stored.mean.size(),
                                              " channels; reads ", shape.ToString()));
    }
    moments.push_back(MomentsOfInput(layer, MomentsOf(activation.view())));
  }
  return moments;
}

}  // namespace stillwave::drift
