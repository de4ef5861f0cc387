#include "server/model/network_shapes.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/model/work_estimate.h"
#include "server/passes/specialize.h"

namespace stillwave::model {
namespace {

using tensor::Shape;

// Lengths that are tried for dynamic axes, most useful first: long enough for most receptive fields, divisible by the
// strides of most networks.
constexpr int64_t kLengths[] = {128, 256, 512, 1024, 2048, 4096, 8192, 16384, 64, 32, 16, 8, 4, 2, 1};

// No power of two, so that kernels meet other remainders there; divisible by the strides of most networks.
constexpr int64_t kOtherLength = 96;

// A tenth of a second on one core, which the probe spends several times. 128 steps on each of several dynamic axes can
// be more.
constexpr int64_t kMaxWarmUpWork = int64_t{1} << 31;

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

absl::Status CheckBatchAxis(const std::vector<Shape>& outputs, int64_t samples, const std::vector<std::string>& names) {
  for (size_t j = 0; j < outputs.size(); ++j) {
    if (outputs[j].rank() > 0 && outputs[j][0] == samples) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("axis 0 of every output must be the batch, one row per sample; output '", names[j], "' is ",
                     outputs[j].ToString(), " for ", samples, samples == 1 ? " sample" : " samples"));
  }
  return absl::OkStatus();
}

// What the network makes of inputs of these shapes.
struct Outcome {
  std::vector<Shape> inputs;
  std::vector<Shape> outputs;
  int64_t work = 0;
  int64_t length = 0;  // of the dynamic axes
};

// `inputs` have the same number of samples each.
absl::StatusOr<Outcome> Try(const graph::Graph& graph, const std::vector<std::string>& output_names,
                            std::vector<Shape> inputs) {
  ASSIGN_OR_RETURN(const graph::Graph specialized, passes::Specialize(graph, inputs));
  Outcome outcome;
  for (const graph::ValueId id : specialized.outputs()) {
    if (specialized.value(id).data_type != tensor::DataType::kFloat32) {
      return absl::UnimplementedError(absl::StrCat("output '", specialized.value(id).name, "' must be FP32; is ",
                                                   tensor::Name(specialized.value(id).data_type)));
    }
    outcome.outputs.push_back(specialized.value(id).shape);
  }
  RETURN_IF_ERROR(CheckBatchAxis(outcome.outputs, inputs[0][0], output_names));
  outcome.inputs = std::move(inputs);
  outcome.work = EstimateWork(specialized);
  return outcome;
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

// The first length that works and is cheap enough, apart from `except`; the first that works where none is cheap.
absl::StatusOr<Outcome> FindLength(const graph::Graph& graph, const std::vector<std::string>& output_names,
                                   int64_t preferred, int64_t except) {
  std::vector<int64_t> lengths(std::begin(kLengths), std::end(kLengths));
  if (preferred > 0) lengths.insert(lengths.begin(), preferred);
  absl::Status first_error;
  std::optional<Outcome> expensive;
  for (const int64_t length : lengths) {
    if (length == except) continue;
    absl::StatusOr<Outcome> outcome = Try(graph, output_names, SampleShapes(graph, length));
    if (outcome.ok()) outcome->length = length;
    const bool only_choice = !HasDynamicLength(graph) || length == preferred;
    if (outcome.ok() && (only_choice || outcome->work <= kMaxWarmUpWork)) return outcome;
    if (outcome.ok() && !expensive) expensive = *std::move(outcome);
    if (!outcome.ok() && first_error.ok()) first_error = outcome.status();
    if (only_choice) break;
  }
  if (expensive) return *std::move(expensive);
  return first_error;
}

}  // namespace

std::vector<Shape> WithBatch(std::vector<Shape> shapes, int64_t samples) {
  for (Shape& shape : shapes) shape[0] = samples;
  return shapes;
}

absl::StatusOr<NetworkShapes> FindNetworkShapes(const std::vector<std::string>& output_names,
                                                const graph::Graph& optimized, int64_t window_length) {
  RETURN_IF_ERROR(CheckInputs(optimized));
  ASSIGN_OR_RETURN(const Outcome one, FindLength(optimized, output_names, window_length, /*except=*/0));
  NetworkShapes result;
  result.sample_shapes = one.inputs;
  result.work = one.work;
  for (const graph::ValueId id : optimized.inputs()) {
    const graph::Value& input = optimized.value(id);
    Shape shape = input.shape;
    shape[0] = tensor::kDynamicDim;
    result.signature.inputs.push_back({input.name, input.data_type, std::move(shape)});
  }
  for (size_t j = 0; j < one.outputs.size(); ++j) {
    result.signature.outputs.push_back({output_names[j], tensor::DataType::kFloat32, one.outputs[j]});
  }

  constexpr int64_t kSeveral = 3;
  const absl::StatusOr<Outcome> several = Try(optimized, output_names, WithBatch(one.inputs, kSeveral));
  result.declares_one = std::all_of(optimized.inputs().begin(), optimized.inputs().end(),
                                    [&](graph::ValueId id) { return optimized.value(id).shape[0] == 1; });
  // A graph that was exported for one sample may hold that 1 in a Reshape.
  if (!several.ok() && !result.declares_one) return several.status();
  result.batches = several.ok();

  if (HasDynamicLength(optimized)) {
    const absl::StatusOr<Outcome> other = FindLength(optimized, output_names, 0, /*except=*/one.length);
    if (other.ok()) {
      MarkDynamicAxes(other->outputs, result.signature);
      const absl::StatusOr<Outcome> uneven = Try(optimized, output_names, SampleShapes(optimized, kOtherLength));
      for (const absl::StatusOr<Outcome>& outcome : {uneven, other}) {
        // Of no more than the first length asks for, where that is expensive.
        if (!outcome.ok() || outcome->work > std::max(kMaxWarmUpWork, one.work)) continue;
        result.other_sample_shapes = outcome->inputs;
        break;
      }
    }
  }
  for (TensorSpec& output : result.signature.outputs) output.shape[0] = tensor::kDynamicDim;
  return result;
}

}  // namespace stillwave::model
