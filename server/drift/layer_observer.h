// Runs one sample through the observed part of a network and looks at what its layers read.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/drift/channel_moments.h"
#include "server/drift/watched_layers.h"
#include "server/execution/execution_context.h"
#include "server/execution/execution_plan.h"
#include "server/model/loaded_model.h"
#include "server/tensor/tensor.h"

namespace stillwave::drift {

// Plans are compiled when the first sample of their shapes comes, share the weights of what is served, and the last few
// are kept. Not thread-safe.
class LayerObserver {
 public:
  explicit LayerObserver(std::shared_ptr<const model::LoadedModel> model);

  // Empty when there is nothing to watch.
  const std::vector<WatchedLayer>& layers() const { return observed_.layers; }

  // `inputs` are {1, …} in signature order. One entry a layer. Errors as of compiling and running a plan.
  absl::StatusOr<std::vector<ChannelMoments>> Observe(execution::ExecutionContext& context,
                                                      absl::Span<const tensor::Tensor> inputs);

 private:
  using PlanPtr = std::shared_ptr<const execution::ExecutionPlan>;
  // Lengths that clients change between.
  static constexpr size_t kMaxPlans = 8;

  absl::StatusOr<PlanPtr> PlanFor(absl::Span<const tensor::Tensor> inputs);

  const std::shared_ptr<const model::LoadedModel> model_;
  const ObservedNetwork observed_;
  std::list<PlanPtr> plans_;  // most recently used first
};

}  // namespace stillwave::drift
