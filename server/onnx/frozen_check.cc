#include "server/onnx/frozen_check.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"
#include "server/onnx/names.h"

namespace stillwave::onnx_import {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;
using tensor::DataType;
using tensor::Tensor;

constexpr absl::string_view kParameterNames[] = {"scale", "bias", "mean", "variance"};
constexpr size_t kVariance = 3;

// What to do in PyTorch about it.
constexpr absl::string_view kEvalCure =
    ": call `model.eval()` before torch.onnx.export, and keep track_running_stats=True";
constexpr absl::string_view kDamagedCure =
    ": export again from a checkpoint where `all(t.isfinite().all() for t in model.state_dict().values())` holds";
constexpr absl::string_view kAgainCure =
    ": the file was edited or is damaged; export it again with `model.eval()` and torch.onnx.export";

std::string Label(const Node& node) {
  return absl::StrCat("node ", Quoted(node.name), " (", graph::OpName(node.op), ")");
}

absl::Status CheckFinite(absl::string_view what, const Tensor& tensor) {
  if (tensor.data_type() != DataType::kFloat32) return absl::OkStatus();
  const absl::Span<const float> values = tensor.values<float>();
  const auto bad = std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  if (bad == values.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " must be finite; element ", bad - values.begin(), " was ", *bad, kDamagedCure));
}

absl::Status CheckVariance(absl::Span<const float> variance, float epsilon) {
  for (size_t channel = 0; channel < variance.size(); ++channel) {  // negated, so that NaN fails too
    if (!(variance[channel] >= 0)) {
      return absl::InvalidArgumentError(absl::StrCat("variance must not be negative; that of channel ", channel,
                                                     " was ", variance[channel], kAgainCure));
    }
    if (!(variance[channel] + epsilon > 0)) {
      return absl::InvalidArgumentError(
          absl::StrCat("variance + epsilon must be positive; that of channel ", channel,
                       " was 0: give the layer an eps, as torch.nn.BatchNorm1d(…, eps=1e-5) has it"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckParameter(absl::string_view what, const Tensor* parameter) {
  if (parameter == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(what, " must be constant; it is an input or computed from the request", kEvalCure));
  }
  if (parameter->data_type() != DataType::kFloat32) {
    return absl::UnimplementedError(absl::StrCat(what, " must be FP32; was ", tensor::Name(parameter->data_type())));
  }
  return CheckFinite(what, *parameter);
}

// `channels` is tensor::kDynamicDim when the input does not tell; then the parameters must agree.
absl::Status CheckParameterShapes(const std::array<const Tensor*, 4>& parameters, int64_t channels) {
  const int64_t wanted = channels == tensor::kDynamicDim ? parameters[0]->num_elements() : channels;
  std::string shapes;
  bool good = true;
  for (const Tensor* parameter : parameters) {
    good &= parameter->shape() == tensor::Shape({wanted});
    absl::StrAppend(&shapes, shapes.empty() ? "" : ", ", parameter->shape().ToString());
  }
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "scale, bias, mean and variance must have one value for each channel",
      channels == tensor::kDynamicDim ? "" : absl::StrCat(" (", channels, ")"), "; have shapes ", shapes, kAgainCure));
}

absl::Status CheckBatchNormalization(const Graph& graph, const Node& node, float epsilon) {
  if (!std::isfinite(epsilon) || epsilon < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("epsilon must be finite and not negative; was ", epsilon, kAgainCure));
  }
  std::array<const Tensor*, 4> parameters{};
  for (size_t i = 0; i < parameters.size(); ++i) {
    parameters[i] = graph.value(node.inputs[i + 1]).constant.get();
    RETURN_IF_ERROR(CheckParameter(kParameterNames[i], parameters[i]));
  }
  const tensor::Shape& input = graph.value(node.inputs[0]).shape;
  RETURN_IF_ERROR(CheckParameterShapes(parameters, input.rank() >= 2 ? input[1] : tensor::kDynamicDim));
  return CheckVariance(parameters[kVariance]->values<float>(), epsilon);
}

absl::Status CheckWeights(const Graph& graph, const Node& node) {
  for (const ValueId input : node.inputs) {
    if (input == graph::kNoValue || graph.value(input).constant == nullptr) continue;
    RETURN_IF_ERROR(
        CheckFinite(absl::StrCat("weight ", Quoted(graph.value(input).name)), *graph.value(input).constant));
  }
  return absl::OkStatus();
}

bool IsAxis0(int64_t axis, int rank) { return axis == 0 || axis == -rank; }

// Whether an input of axes, where it is given, names axis 0. Axes that only a request gives could.
bool NamesAxis0(const Graph& graph, ValueId input, int rank) {
  const Tensor* axes = graph.value(input).constant.get();
  if (axes == nullptr) return true;
  const auto names = [rank](auto values) {
    return std::any_of(values.begin(), values.end(), [rank](int64_t axis) { return IsAxis0(axis, rank); });
  };
  if (axes->data_type() == DataType::kInt64) return names(axes->values<int64_t>());
  if (axes->data_type() == DataType::kInt32) return names(axes->values<int32_t>());
  return true;
}

bool SpansAxis0(const Graph& graph, const Node& node, const graph::Reduce& reduce, int rank) {
  const bool has_axes = node.inputs.size() > 1 && node.inputs[1] != graph::kNoValue;
  const Tensor* axes = has_axes ? graph.value(node.inputs[1]).constant.get() : nullptr;
  const bool is_empty = !has_axes || (axes != nullptr && axes->num_elements() == 0);
  return is_empty ? !reduce.noop_with_empty_axes : NamesAxis0(graph, node.inputs[1], rank);
}

// What the operator does with all elements of axis 0 at once; empty when it keeps to the samples.
absl::string_view DeedAcrossAxis0(const Graph& graph, const Node& node, int rank) {
  if (const auto* reduce = std::get_if<graph::Reduce>(&node.op)) {
    return SpansAxis0(graph, node, *reduce, rank) ? "reduces" : "";
  }
  if (const auto* arg = std::get_if<graph::ArgReduce>(&node.op)) return IsAxis0(arg->axis, rank) ? "compares" : "";
  if (std::holds_alternative<graph::CumSum>(node.op)) {
    return NamesAxis0(graph, node.inputs[1], rank) ? "adds up" : "";
  }
  if (const auto* norm = std::get_if<graph::LayerNormalization>(&node.op)) {
    return IsAxis0(norm->axis, rank) ? "normalizes" : "";
  }
  if (const auto* softmax = std::get_if<graph::Softmax>(&node.op)) {
    return IsAxis0(softmax->axis, rank) ? "normalizes" : "";
  }
  return "";
}

absl::Status CheckKeepsToSamples(const Graph& graph, const Node& node) {
  const int rank = graph.value(node.inputs[0]).shape.rank();
  // Rank 1 holds no batch of anything; rank 0 is what a value has before inference.
  const absl::string_view deed = rank == 1 ? "" : DeedAcrossAxis0(graph, node, rank);
  if (deed.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("it ", deed,
                   " across axis 0, the batch, so one request's rows would change another's answer: use the other axes "
                   "only; where it is a BatchNorm in training mode, written out",
                   kEvalCure));
}

// For each value: whether it is computed from the elements of a graph input. Shapes are not.
std::vector<bool> FindActivations(const Graph& graph) {
  std::vector<bool> is_activation(graph.values().size(), false);
  for (const ValueId input : graph.inputs()) is_activation[static_cast<size_t>(input)] = true;
  for (const Node& node : graph.nodes()) {
    if (std::holds_alternative<graph::ShapeOf>(node.op) || std::holds_alternative<graph::SizeOf>(node.op)) continue;
    const bool any = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId input) {
      return input != graph::kNoValue && is_activation[static_cast<size_t>(input)];
    });
    for (const ValueId output : node.outputs) is_activation[static_cast<size_t>(output)] = any;
  }
  return is_activation;
}

}  // namespace

absl::Status CheckFrozen(const Graph& graph) {
  const std::vector<bool> is_activation = FindActivations(graph);
  for (const Node& node : graph.nodes()) {
    absl::Status status;
    if (const auto* norm = std::get_if<graph::BatchNormalization>(&node.op)) {
      status = CheckBatchNormalization(graph, node, norm->epsilon);
    } else if (std::holds_alternative<graph::Conv>(node.op) || std::holds_alternative<graph::ConvTranspose>(node.op) ||
               std::holds_alternative<graph::Gemm>(node.op) || std::holds_alternative<graph::MatMul>(node.op)) {
      status = CheckWeights(graph, node);
    } else if (!node.inputs.empty() && is_activation[static_cast<size_t>(node.inputs[0])]) {
      status = CheckKeepsToSamples(graph, node);
    }
    if (!status.ok()) return base::Annotate(status, Label(node));
  }
  return absl::OkStatus();
}

}  // namespace stillwave::onnx_import
