#include "tests/server/model/run_model.h"

#include <cstring>
#include <utility>

#include "server/base/check.h"
#include "server/base/status_macros.h"

namespace stillwave::model {

using tensor::Shape;
using tensor::Tensor;
using tensor::TensorView;

absl::StatusOr<std::shared_ptr<const LoadedModel>> LoadForTest(const std::string& model_file, BatchNormMode mode) {
  return LoadedModel::Load(model_file, {.max_batch_size = 32, .batch_norm = mode});
}

absl::StatusOr<std::vector<Tensor>> RunModel(const LoadedModel& model, execution::ExecutionContext& context,
                                             absl::Span<const TensorView> inputs) {
  std::vector<Shape> shapes;
  for (const TensorView& input : inputs) shapes.push_back(input.shape);
  ASSIGN_OR_RETURN(const std::vector<Shape> output_shapes, model.OutputShapes(shapes));
  std::vector<Tensor> outputs;
  std::vector<tensor::MutableTensorView> views;
  for (const Shape& shape : output_shapes) {
    ASSIGN_OR_RETURN(Tensor output, Tensor::Create(tensor::DataType::kFloat32, shape));
    outputs.push_back(std::move(output));
    views.push_back(outputs.back().mutable_view());
  }
  RETURN_IF_ERROR(model.Run(context, inputs, views));
  return outputs;
}

std::vector<TensorView> InputsOf(const LoadedModel& model, const test_support::ModelCase& model_case) {
  std::vector<TensorView> inputs;
  for (const TensorSpec& spec : model.signature().inputs) {
    for (const test_support::NamedTensor& input : model_case.inputs) {
      if (input.name == spec.name) inputs.push_back(input.tensor.view());
    }
  }
  SW_CHECK(inputs.size() == model.signature().inputs.size());
  return inputs;
}

absl::StatusOr<std::vector<test_support::RefTensor>> RunCase(const LoadedModel& model,
                                                             const test_support::ModelCase& model_case) {
  execution::ExecutionContext context;
  ASSIGN_OR_RETURN(const std::vector<Tensor> outputs, RunModel(model, context, InputsOf(model, model_case)));
  std::vector<test_support::RefTensor> results;
  for (const Tensor& output : outputs) results.push_back(test_support::ToRefTensor(output.view()));
  return results;
}

Tensor TakeRows(const TensorView& batch, absl::Span<const int64_t> rows) {
  Shape shape = batch.shape;
  shape[0] = static_cast<int64_t>(rows.size());
  absl::StatusOr<Tensor> taken = Tensor::Create(batch.data_type, shape);
  SW_CHECK_OK(taken.status());
  const size_t row_bytes = batch.byte_size() / static_cast<size_t>(batch.shape[0]);
  for (size_t i = 0; i < rows.size(); ++i) {
    std::memcpy(static_cast<char*>(taken->mutable_data()) + i * row_bytes,
                static_cast<const char*>(batch.data) + static_cast<size_t>(rows[i]) * row_bytes, row_bytes);
  }
  return *std::move(taken);
}

}  // namespace stillwave::model
