#include "server/passes/split_conv_transpose.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"

namespace stillwave::passes {
namespace {

using graph::Node;
using graph::ValueId;
using tensor::Tensor;

const Tensor* FloatConstant(const graph::Graph& graph, const Node& node, size_t input) {
  if (input >= node.inputs.size() || node.inputs[input] == graph::kNoValue) return nullptr;
  const Tensor* constant = graph.value(node.inputs[input]).constant.get();
  return constant != nullptr && constant->data_type() == tensor::DataType::kFloat32 ? constant : nullptr;
}

struct Split {
  int64_t channels, outputs, taps, stride;
  int64_t reach;   // J: taps of a phase
  int64_t begin;   // steps to crop at the beginning
  int64_t excess;  // and at the end
  bool has_bias;
};

// False where the form does not apply.
bool Describe(const graph::Graph& graph, const Node& node, const graph::ConvTranspose& op, Split& split) {
  const Tensor* weights = FloatConstant(graph, node, 1);
  if (weights == nullptr || weights->shape().rank() != 3 || op.window.kernel.size() != 1) return false;
  if (op.group != 1 || op.window.dilations[0] != 1 || op.window.auto_pad != graph::AutoPad::kNotSet) return false;
  if (!op.output_shape.empty() || op.fused_relu || op.window.kernel[0] != weights->shape()[2]) return false;
  split.channels = weights->shape()[0];
  split.outputs = weights->shape()[1];
  split.taps = weights->shape()[2];
  split.stride = op.window.strides[0];
  // A stride far beyond the kernel gives mostly zeros, which the form would compute.
  if (split.stride > split.taps || split.taps == 0) return false;
  split.reach = (split.taps + split.stride - 1) / split.stride;
  split.begin = op.window.pads_begin[0];
  const int64_t padding = op.output_padding.empty() ? 0 : op.output_padding[0];
  split.excess = split.reach * split.stride - split.taps - padding + op.window.pads_end[0];
  split.has_bias = node.inputs.size() > 2 && node.inputs[2] != graph::kNoValue;
  return split.excess >= 0 && (!split.has_bias || FloatConstant(graph, node, 2) != nullptr);
}

// {C,M,K} -> {s*M,C,J}, taps turned round.
absl::StatusOr<Tensor> PhaseWeights(const Tensor& weights, const Split& split) {
  ASSIGN_OR_RETURN(Tensor phases, Tensor::Create(tensor::DataType::kFloat32,
                                                 {split.stride * split.outputs, split.channels, split.reach}));
  const float* const from = weights.values<float>().data();
  float* to = phases.mutable_values<float>().data();
  for (int64_t p = 0; p < split.stride; ++p) {
    for (int64_t m = 0; m < split.outputs; ++m) {
      for (int64_t c = 0; c < split.channels; ++c) {
        for (int64_t q = 0; q < split.reach; ++q) {
          const int64_t tap = (split.reach - 1 - q) * split.stride + p;
          *to++ = tap < split.taps ? from[(c * split.outputs + m) * split.taps + tap] : 0.0F;
        }
      }
    }
  }
  return phases;
}

absl::StatusOr<Tensor> PhaseBias(const Tensor& bias, const Split& split) {
  ASSIGN_OR_RETURN(Tensor phases, Tensor::Create(tensor::DataType::kFloat32, {split.stride * split.outputs}));
  const auto from = bias.values<float>();
  const auto to = phases.mutable_values<float>();
  for (size_t i = 0; i < to.size(); ++i) to[i] = from[i % from.size()];
  return phases;
}

ValueId AddInt64(graph::Graph& graph, const std::string& name, int64_t value) {
  return graph.AddConstant(name, Tensor::FromValues<int64_t>({1}, {value}));
}

absl::Status Replace(graph::Graph& graph, const Node& node, const Split& split) {
  ASSIGN_OR_RETURN(Tensor weights, PhaseWeights(*FloatConstant(graph, node, 1), split));
  std::vector<ValueId> inputs = {node.inputs[0],
                                 graph.AddConstant(absl::StrCat(node.name, ".phases"), std::move(weights))};
  if (split.has_bias) {
    ASSIGN_OR_RETURN(Tensor bias, PhaseBias(*FloatConstant(graph, node, 2), split));
    inputs.push_back(graph.AddConstant(absl::StrCat(node.name, ".bias"), std::move(bias)));
  }
  const int64_t pad = split.reach - 1;
  const graph::Conv conv{
      .window = {.kernel = {split.reach}, .strides = {1}, .dilations = {1}, .pads_begin = {pad}, .pads_end = {pad}}};
  const ValueId phases = graph.AddValue(absl::StrCat(node.name, ".phased"));
  graph.AddNode({node.name, conv, std::move(inputs), {phases}});
  const bool crops = split.begin > 0 || split.excess > 0;
  const ValueId whole = crops ? graph.AddValue(absl::StrCat(node.name, ".whole")) : node.outputs[0];
  graph.AddNode({absl::StrCat(node.name, ".interleave"), graph::Interleave{split.stride}, {phases}, {whole}});
  if (!crops) return absl::OkStatus();
  const ValueId start = AddInt64(graph, absl::StrCat(node.name, ".start"), split.begin);
  const ValueId end = AddInt64(graph, absl::StrCat(node.name, ".end"), split.excess > 0 ? -split.excess : INT64_MAX);
  const ValueId axis = AddInt64(graph, absl::StrCat(node.name, ".axis"), 2);
  graph.AddNode({absl::StrCat(node.name, ".crop"), graph::Slice{}, {whole, start, end, axis}, node.outputs});
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<bool> SplitConvTranspose(graph::Graph& graph) {
  std::vector<Node> nodes = std::move(graph.mutable_nodes());
  graph.mutable_nodes().clear();
  bool changed = false;
  for (Node& node : nodes) {
    const auto* op = std::get_if<graph::ConvTranspose>(&node.op);
    Split split{};
    if (op == nullptr || !Describe(graph, node, *op, split)) {
      graph.mutable_nodes().push_back(std::move(node));
      continue;
    }
    RETURN_IF_ERROR(Replace(graph, node, split));
    changed = true;
  }
  return changed;
}

}  // namespace stillwave::passes
