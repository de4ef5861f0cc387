#include "server/model/warm_up.h"

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/execution/execution_context.h"
#include "server/model/input_validation.h"
#include "server/tensor/tensor.h"

namespace stillwave::model {
namespace {

using tensor::Shape;
using tensor::Tensor;

// Of one input; a request cannot bring more either.
constexpr int64_t kMaxInputBytes = 64 << 20;

Shape WithSamples(const Shape& dims, bool without_batch, int64_t samples) {
  if (!without_batch) return dims;
  Shape shape = {samples};
  for (const int64_t dim : dims.dims()) shape.Append(dim);
  return shape;
}

absl::StatusOr<Tensor> MakeInput(const WarmUpInput& input, const Shape& shape) {
  const absl::StatusOr<int64_t> elements = shape.ElementCount();
  const auto element_bytes = static_cast<int64_t>(tensor::SizeOf(input.tensor.data_type));
  if (!elements.ok() || *elements > kMaxInputBytes / element_bytes) {
    return absl::InvalidArgumentError(absl::StrCat("input '", input.tensor.name, "' must have at most ", kMaxInputBytes,
                                                   " bytes; was ", shape.ToString()));
  }
  ASSIGN_OR_RETURN(Tensor made, Tensor::Create(input.tensor.data_type, shape));
  std::fill_n(static_cast<char*>(made.mutable_data()), made.byte_size(), '\0');
  if (!input.random || input.tensor.data_type != tensor::DataType::kFloat32) return made;
  std::mt19937 generator(20260101);
  std::uniform_real_distribution<float> noise(-1.0F, 1.0F);
  for (float& value : made.mutable_values<float>()) value = noise(generator);
  return made;
}

absl::Status Run(const ModelConfig& config, const WarmUpRun& run, const LoadedModel& model,
                 const std::function<bool()>& stop_requested) {
  if (!config.dims_without_batch && run.batch_size > 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "batch_size must be 0 or 1 where max_batch_size is not set, as dims have the batch axis then; was ",
        run.batch_size));
  }
  std::vector<Tensor> tensors;
  std::vector<ReceivedInput> received;
  for (const WarmUpInput& input : run.inputs) {
    ASSIGN_OR_RETURN(Tensor made,
                     MakeInput(input, WithSamples(input.tensor.dims, config.dims_without_batch, run.batch_size)));
    received.push_back({input.tensor.name, input.tensor.data_type, made.shape(), made.data(), made.byte_size()});
    tensors.push_back(std::move(made));
  }
  ASSIGN_OR_RETURN(const ValidInputs inputs, ValidateInputs(model.signature(), config.max_batch_size, received));
  std::vector<Shape> shapes;
  for (const tensor::TensorView& view : inputs.views) shapes.push_back(view.shape);
  ASSIGN_OR_RETURN(const std::vector<Shape> output_shapes, model.OutputShapes(shapes));
  std::vector<Tensor> outputs;
  std::vector<tensor::MutableTensorView> output_views;
  for (size_t j = 0; j < output_shapes.size(); ++j) {
    ASSIGN_OR_RETURN(Tensor output, Tensor::Create(model.signature().outputs[j].data_type, output_shapes[j]));
    output_views.push_back(output.mutable_view());
    outputs.push_back(std::move(output));
  }
  execution::ExecutionContext context;
  for (int64_t i = 0; i < run.count; ++i) {
    RETURN_IF_ERROR(CheckNotStopped(stop_requested));
    RETURN_IF_ERROR(model.Run(context, inputs.views, output_views));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status WarmUp(const ModelConfig& config, const LoadedModel& model, const std::function<bool()>& stop_requested) {
  for (const WarmUpRun& run : config.warm_ups) {
    const absl::Status status = Run(config, run, model, stop_requested);
    if (absl::IsCancelled(status)) return status;
    if (!status.ok()) return base::Annotate(status, absl::StrCat("model_warmup '", run.name, "'"));
  }
  return absl::OkStatus();
}

}  // namespace stillwave::model
