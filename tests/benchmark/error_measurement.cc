#include "tests/benchmark/error_measurement.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/execution/execution_context.h"
#include "server/onnx/onnx_importer.h"
#include "tests/benchmark/stopwatch.h"
#include "tests/support/ref_tensor.h"
#include "tests/support/reference_interpreter.h"

namespace stillwave::benchmark {
namespace {

using tensor::Shape;
using tensor::Tensor;
using test_support::RefTensor;

constexpr double kProgressEveryUs = 5e6;

absl::Status CheckInputs(const model::LoadedModel& model, absl::Span<const Tensor> inputs) {
  const std::vector<model::TensorSpec>& specs = model.signature().inputs;
  if (inputs.size() != specs.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the model takes ", specs.size(), " inputs; given were ", inputs.size()));
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Shape& shape = inputs[i].shape();
    if (shape.rank() != specs[i].shape.rank() || shape[0] != inputs[0].shape()[0]) {
      return absl::InvalidArgumentError(absl::StrCat("input '", specs[i].name, "' must be ", specs[i].shape.ToString(),
                                                     ", with as many rows as the first input; was ", shape.ToString()));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Tensor>> RunModel(const model::LoadedModel& model, absl::Span<const Tensor> inputs) {
  std::vector<Shape> shapes;
  std::vector<tensor::TensorView> sources;
  for (const Tensor& input : inputs) {
    shapes.push_back(input.shape());
    sources.push_back(input.view());
  }
  ASSIGN_OR_RETURN(const std::vector<Shape> output_shapes, model.OutputShapes(shapes));
  std::vector<Tensor> outputs;
  std::vector<tensor::MutableTensorView> targets;
  for (const Shape& shape : output_shapes) {
    ASSIGN_OR_RETURN(Tensor output, Tensor::Create(tensor::DataType::kFloat32, shape));
    targets.push_back(output.mutable_view());
    outputs.push_back(std::move(output));
  }
  execution::ExecutionContext context;
  RETURN_IF_ERROR(model.Run(context, sources, targets));
  return outputs;
}

// {1,…}: one row, as a network that was exported for one sample takes it too.
RefTensor Row(const Tensor& tensor, int64_t row) {
  Shape shape = tensor.shape();
  shape[0] = 1;
  const auto size = static_cast<size_t>(shape.num_elements());
  const auto values = tensor.values<float>().subspan(static_cast<size_t>(row) * size, size);
  return test_support::RealTensor(shape, std::vector<double>(values.begin(), values.end()));
}

template <typename Values>
auto IndexOfLargest(const Values& values) {
  return std::distance(values.begin(), std::max_element(values.begin(), values.end()));
}

// Sums over rows what becomes an OutputError.
class Difference {
 public:
  // REQUIRES: as many values in both.
  void AddRow(absl::Span<const float> got, absl::Span<const double> want) {
    for (size_t i = 0; i < got.size(); ++i) {
      const double difference = std::abs(got[i] - want[i]);
      largest_ = std::max(largest_, std::abs(want[i]));
      // Written so that a NaN stays.
      if (!(difference <= max_error_)) max_error_ = difference;
      squares_ += difference * difference;
    }
    values_ += static_cast<double>(got.size());
    ++rows_;
    if (!got.empty() && IndexOfLargest(got) == IndexOfLargest(want)) ++agreeing_;
  }

  OutputError Finish(const std::string& name, const Shape& shape) const {
    OutputError error = {name, largest_, max_error_, values_ > 0 ? std::sqrt(squares_ / values_) : 0, std::nullopt};
    if (shape.rank() == 2 && shape[1] > 1 && rows_ > 0) error.top1_agreement = agreeing_ / rows_;
    return error;
  }

 private:
  double largest_ = 0;
  double max_error_ = 0;
  double squares_ = 0;
  double values_ = 0;
  double rows_ = 0;
  double agreeing_ = 0;
};

}  // namespace

absl::StatusOr<std::vector<OutputError>> MeasureError(const std::string& path, const model::LoadedModel& model,
                                                      absl::Span<const Tensor> inputs,
                                                      absl::FunctionRef<void(absl::string_view)> progress) {
  RETURN_IF_ERROR(CheckInputs(model, inputs));
  ASSIGN_OR_RETURN(const std::vector<Tensor> outputs, RunModel(model, inputs));
  // As imported, so that a pass that changes what is computed shows.
  ASSIGN_OR_RETURN(const graph::Graph network, onnx_import::ImportFile(path));
  std::vector<Difference> differences(outputs.size());
  const int64_t rows = inputs[0].shape()[0];
  double told = WallMicroseconds();
  for (int64_t row = 0; row < rows; ++row) {
    if (WallMicroseconds() - told > kProgressEveryUs) {
      told = WallMicroseconds();
      progress(absl::StrCat("computed ", row, " of ", rows, " samples in double"));
    }
    std::vector<RefTensor> row_inputs;
    for (const Tensor& input : inputs) row_inputs.push_back(Row(input, row));
    ASSIGN_OR_RETURN(const std::vector<RefTensor> wanted, test_support::Interpret(network, std::move(row_inputs)));
    for (size_t j = 0; j < outputs.size(); ++j) {
      const size_t size = wanted[j].reals.size();
      if (size * static_cast<size_t>(rows) != static_cast<size_t>(outputs[j].num_elements())) {
        return absl::InternalError(absl::StrCat("the engine's output is ", outputs[j].shape().ToString(), " for ", rows,
                                                " samples; the reference's ", wanted[j].shape.ToString(), " for one"));
      }
      differences[j].AddRow(outputs[j].values<float>().subspan(static_cast<size_t>(row) * size, size), wanted[j].reals);
    }
  }
  std::vector<OutputError> errors;
  for (size_t j = 0; j < outputs.size(); ++j) {
    errors.push_back(differences[j].Finish(model.signature().outputs[j].name, outputs[j].shape()));
  }
  return errors;
}

}  // namespace stillwave::benchmark
