#include "server/model/network_shapes.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/passes/specialize.h"

namespace stillwave::model {
namespace {

using tensor::Shape;

// Lengths that are tried for dynamic axes, most useful first: long enough for most receptive fields, divisible by the
// strides of most networks.
constexpr int64_t kLengths[] = {128, 256, 512, 1024, 2048, 4096, 8192, 16384, 64, 32, 16, 8, 4, 2, 1};

absl::Status CheckInputs(const graph::Graph& graph) {
  if (graph.inputs().empty()) return absl::InvalidArgumentError("the network has no inputs");
  for (const graph::ValueId id : graph.inputs()) {
    const graph::Value& input = graph.value(id);
    if (input.data_type != tensor::DataType::kFloat32) {
      return absl::UnimplementedError(
          absl::StrCat("input '", input.name, "' must be FP32; is ", tensor::Name(input.data_type)));
    }
    if (input.shape.rank() == 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("input '", input.name, "' is a scalar; axis 0 of every input must be the batch"));
    }
  }
  return absl::OkStatus();
}

// Declared shapes with one sample and `length` for every other dynamic axis.
std::vector<Shape> SampleShapes(const graph::Graph& graph, int64_t length) {
  std::vector<Shape> shapes;
  for (const graph::ValueId id : graph.inputs()) {
    Shape shape = graph.value(id).shape;
    shape[0] = 1;
    for (int axis = 1; axis < shape.rank(); ++axis) {
      if (shape[axis] == tensor::kDynamicDim) shape[axis] = length;
    }
    shapes.push_back(std::move(shape));
  }
  return shapes;
}

bool HasDynamicLength(const graph::Graph& graph) {
  return std::any_of(graph.inputs().begin(), graph.inputs().end(), [&](graph::ValueId id) {
    const auto dims = graph.value(id).shape.dims();
    return std::find(dims.begin() + 1, dims.end(), tensor::kDynamicDim) != dims.end();
  });
}

absl::StatusOr<std::vector<Shape>> OutputShapes(const graph::Graph& graph, const std::vector<Shape>& inputs) {
  ASSIGN_OR_RETURN(const graph::Graph specialized, passes::Specialize(graph, inputs));
  std::vector<Shape> shapes;
  for (const graph::ValueId id : specialized.outputs()) {
    if (specialized.value(id).data_type != tensor::DataType::kFloat32) {
      return absl::UnimplementedError(absl::StrCat("output '", specialized.value(id).name, "' must be FP32; is ",
                                                   tensor::Name(specialized.value(id).data_type)));
    }
    shapes.push_back(specialized.value(id).shape);
  }
  return shapes;
}

absl::Status CheckBatchAxis(const std::vector<Shape>& outputs, int64_t samples, const ModelSignature& signature) {
  for (size_t j = 0; j < outputs.size(); ++j) {
    if (outputs[j].rank() > 0 && outputs[j][0] == samples) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("axis 0 of every output must be the batch, one row per sample; output '",
                     signature.outputs[j].name, "' is ", outputs[j].ToString(), " for ", samples, " samples"));
  }
  return absl::OkStatus();
}

// Marks the axes of the outputs that change when the inputs' dynamic lengths do.
void MarkDynamicAxes(const std::vector<Shape>& at_other_length, ModelSignature& signature) {
  for (size_t j = 0; j < at_other_length.size(); ++j) {
    Shape& shape = signature.outputs[j].shape;
    for (int axis = 1; axis < shape.rank(); ++axis) {
      if (axis < at_other_length[j].rank() && at_other_length[j][axis] != shape[axis])
        shape[axis] = tensor::kDynamicDim;
    }
  }
}

struct Found {
  int64_t length;
  std::vector<Shape> inputs;
  std::vector<Shape> outputs;
};

// The first length that works, apart from `except`.
absl::StatusOr<Found> FindLength(const graph::Graph& graph, int64_t preferred, int64_t except) {
  std::vector<int64_t> lengths(std::begin(kLengths), std::end(kLengths));
  if (preferred > 0) lengths.insert(lengths.begin(), preferred);
  absl::Status first_error;
  for (const int64_t length : lengths) {
    if (length == except) continue;
    std::vector<Shape> inputs = SampleShapes(graph, length);
    absl::StatusOr<std::vector<Shape>> outputs = OutputShapes(graph, inputs);
    if (outputs.ok()) return Found{length, std::move(inputs), *std::move(outputs)};
    if (first_error.ok()) first_error = outputs.status();
    if (!HasDynamicLength(graph) || length == preferred) break;
  }
  return first_error;
}

}  // namespace

std::vector<Shape> WithBatch(std::vector<Shape> shapes, int64_t samples) {
  for (Shape& shape : shapes) shape[0] = samples;
  return shapes;
}

absl::StatusOr<NetworkShapes> FindNetworkShapes(const graph::Graph& imported, const graph::Graph& optimized,
                                                int64_t window_length) {
  RETURN_IF_ERROR(CheckInputs(optimized));
  ASSIGN_OR_RETURN(const Found one, FindLength(optimized, window_length, /*except=*/0));
  NetworkShapes result;
  result.sample_shapes = one.inputs;
  for (const graph::ValueId id : optimized.inputs()) {
    const graph::Value& input = optimized.value(id);
    Shape shape = input.shape;
    shape[0] = tensor::kDynamicDim;
    result.signature.inputs.push_back({input.name, input.data_type, std::move(shape)});
  }
  for (size_t j = 0; j < one.outputs.size(); ++j) {
    result.signature.outputs.push_back(
        {imported.value(imported.outputs()[j]).name, tensor::DataType::kFloat32, one.outputs[j]});
  }
  RETURN_IF_ERROR(CheckBatchAxis(one.outputs, 1, result.signature));

  constexpr int64_t kSeveral = 3;
  const absl::StatusOr<std::vector<Shape>> several = OutputShapes(optimized, WithBatch(one.inputs, kSeveral));
  const bool declares_one = std::all_of(optimized.inputs().begin(), optimized.inputs().end(),
                                        [&](graph::ValueId id) { return optimized.value(id).shape[0] == 1; });
  const absl::Status batch = several.ok() ? CheckBatchAxis(*several, kSeveral, result.signature) : several.status();
  // A graph that was exported for one sample may hold that 1 in a Reshape.
  if (!batch.ok() && !declares_one) return batch;
  result.batches = batch.ok();

  if (HasDynamicLength(optimized)) {
    const absl::StatusOr<Found> other = FindLength(optimized, 0, /*except=*/one.length);
    if (other.ok()) MarkDynamicAxes(other->outputs, result.signature);
  }
  for (TensorSpec& output : result.signature.outputs) output.shape[0] = tensor::kDynamicDim;
  return result;
}

}  // namespace stillwave::model
