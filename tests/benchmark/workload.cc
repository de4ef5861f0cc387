#include "tests/benchmark/workload.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/model/network_shapes.h"
#include "tests/benchmark/sample_inputs.h"
#include "tests/benchmark/stopwatch.h"

namespace stillwave::benchmark {
namespace {

bool HasDynamicLength(const model::ModelSignature& signature) {
  return std::any_of(signature.inputs.begin(), signature.inputs.end(), [](const model::TensorSpec& input) {
    const auto dims = input.shape.dims();
    return std::find(dims.begin() + 1, dims.end(), tensor::kDynamicDim) != dims.end();
  });
}

}  // namespace

absl::StatusOr<Subject> LoadSubject(const std::string& path, const SubjectOptions& options) {
  const int64_t length = options.length;
  Subject subject;
  const double before = WallMicroseconds();
  ASSIGN_OR_RETURN(subject.model, model::LoadedModel::Load(path, {.max_batch_size = options.max_batch,
                                                                  .batch_norm = options.batch_norm,
                                                                  .precision = options.precision,
                                                                  .window_length = length}));
  subject.load_ms = (WallMicroseconds() - before) / 1e3;
  const int64_t fixed = subject.model->fixed_window_length();
  if (length > 0 && !HasDynamicLength(subject.model->signature()) && length != fixed) {
    return absl::InvalidArgumentError(
        absl::StrCat("the length must be ", fixed, ", to which the model is fixed; was ", length));
  }
  return subject;
}

absl::StatusOr<std::unique_ptr<Workload>> Workload::Create(std::shared_ptr<const model::LoadedModel> model,
                                                           int64_t batch, uint64_t seed) {
  std::unique_ptr<Workload> workload(new Workload());
  workload->batch_ = batch;
  workload->shapes_ = model::WithBatch(model->sample_shapes(), batch);
  ASSIGN_OR_RETURN(workload->tensors_, RandomInputs(workload->shapes_, seed));
  for (const tensor::Tensor& input : workload->tensors_) {
    workload->inputs_.push_back(input.view());
    workload->input_data_.push_back(input.data());
  }
  ASSIGN_OR_RETURN(const std::vector<tensor::Shape> output_shapes, model->OutputShapes(workload->shapes_));
  for (const tensor::Shape& shape : output_shapes) {
    ASSIGN_OR_RETURN(tensor::Tensor output, tensor::Tensor::Create(tensor::DataType::kFloat32, shape));
    workload->outputs_.push_back(output.mutable_view());
    workload->output_data_.push_back(output.mutable_data());
    workload->tensors_.push_back(std::move(output));
  }
  workload->chunk_ = 1;
  while (workload->chunk_ * 2 <= std::min(batch, model->max_chunk())) workload->chunk_ *= 2;
  ASSIGN_OR_RETURN(workload->plan_, model->Plan(model::WithBatch(workload->shapes_, workload->chunk_)));
  workload->model_ = std::move(model);
  return workload;
}

absl::Status Workload::RunChunkObserved(absl::FunctionRef<void(size_t)> before_step) {
  return plan_->RunObserved(context_, input_data_, absl::MakeSpan(output_data_), before_step);
}

}  // namespace stillwave::benchmark
