// A loaded model with a batch of random samples in hand, ready to be run again and again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/execution/execution_context.h"
#include "server/execution/execution_plan.h"
#include "server/model/loaded_model.h"
#include "server/tensor/tensor.h"

namespace stillwave::benchmark {

struct Subject {
  std::shared_ptr<const model::LoadedModel> model;
  double load_ms = 0;
};

// For batches of up to max_batch. A positive length is put in for every dynamic axis; INVALID_ARGUMENT when the
// model has none and its length is another. Else errors as LoadedModel::Load.
struct SubjectOptions {
  model::BatchNormMode batch_norm = model::BatchNormMode::kPrimitive;
  model::Precision precision = model::Precision::kFp32;
  int64_t length = 0;
  int64_t max_batch = 1;
};
absl::StatusOr<Subject> LoadSubject(const std::string& path, const SubjectOptions& options);

// Not thread-safe.
class Workload {
 public:
  // Normally distributed inputs, the same for the same seed.
  static absl::StatusOr<std::unique_ptr<Workload>> Create(std::shared_ptr<const model::LoadedModel> model,
                                                          int64_t batch, uint64_t seed);

  // One inference of the whole batch, as a worker of the server runs it.
  absl::Status Run() { return model_->Run(context_, inputs_, outputs_); }

  // The first chunk of the batch; see ExecutionPlan::RunObserved.
  absl::Status RunChunkObserved(absl::FunctionRef<void(size_t)> before_step);

  const model::LoadedModel& model() const { return *model_; }
  int64_t batch() const { return batch_; }
  // Samples that run at once, the largest power of two that the batch and the model allow.
  int64_t chunk() const { return chunk_; }
  // Of the inputs, for the batch and for a chunk of it.
  const std::vector<tensor::Shape>& shapes() const { return shapes_; }
  const std::vector<tensor::Shape>& chunk_shapes() const { return plan_->input_shapes(); }
  const execution::ExecutionPlan& plan() const { return *plan_; }

 private:
  Workload() = default;

  std::shared_ptr<const model::LoadedModel> model_;
  std::shared_ptr<const execution::ExecutionPlan> plan_;
  int64_t batch_ = 0;
  int64_t chunk_ = 0;
  std::vector<tensor::Shape> shapes_;
  std::vector<tensor::Tensor> tensors_;  // inputs, then outputs
  std::vector<tensor::TensorView> inputs_;
  std::vector<tensor::MutableTensorView> outputs_;
  std::vector<const void*> input_data_;
  std::vector<void*> output_data_;
  execution::ExecutionContext context_;
};

}  // namespace stillwave::benchmark
