#include "server/passes/fold_batch_norm_into_conv.h"

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/status_macros.h"

namespace stillwave::passes {
namespace {

using tensor::Tensor;

// The constant behind input `index` of `node`; null when it is left out or computed.
const Tensor* ConstantInput(const graph::Graph& graph, const graph::Node& node, size_t index) {
  if (index >= node.inputs.size() || node.inputs[index] == graph::kNoValue) return nullptr;
  return graph.value(node.inputs[index]).constant.get();
}

bool IsFloatList(const Tensor* tensor, int64_t length) {
  return tensor != nullptr && tensor->data_type() == tensor::DataType::kFloat32 &&
         tensor->shape() == tensor::Shape({length});
}

// A convolution, or a transposed one, without a ReLU of its own. A ReLU behind the normalization only moves to a Conv.
bool IsPlain(const graph::Node& conv, const graph::Node& norm) {
  if (const auto* op = std::get_if<graph::Conv>(&conv.op); op != nullptr) return !op->fused_relu;
  const auto* op = std::get_if<graph::ConvTranspose>(&conv.op);
  return op != nullptr && !op->fused_relu && !std::get<graph::BatchNormalization>(norm.op).fused_relu;
}

bool CanFold(const graph::Graph& graph, const graph::Node& conv, const graph::Node& norm) {
  const Tensor* weights = ConstantInput(graph, conv, 1);
  if (weights == nullptr || weights->data_type() != tensor::DataType::kFloat32 || weights->shape().rank() < 3) {
    return false;
  }
  const auto* transposed = std::get_if<graph::ConvTranspose>(&conv.op);
  if (transposed != nullptr && transposed->group != 1) return false;
  const int64_t channels = weights->shape()[transposed == nullptr ? 0 : 1];
  const bool has_bias = conv.inputs.size() > 2 && conv.inputs[2] != graph::kNoValue;
  if (channels == 0 || (has_bias && !IsFloatList(ConstantInput(graph, conv, 2), channels))) return false;
  for (size_t i = 1; i < 5; ++i) {
    if (!IsFloatList(ConstantInput(graph, norm, i), channels)) return false;
  }
  return true;
}

absl::Status Fold(graph::Graph& graph, graph::Node& conv, const graph::Node& norm) {
  const Tensor& weights = *ConstantInput(graph, conv, 1);
  const Tensor* bias = ConstantInput(graph, conv, 2);
  const auto scale = ConstantInput(graph, norm, 1)->values<float>();
  const auto shift = ConstantInput(graph, norm, 2)->values<float>();
  const auto mean = ConstantInput(graph, norm, 3)->values<float>();
  const auto variance = ConstantInput(graph, norm, 4)->values<float>();
  const auto epsilon = static_cast<double>(std::get<graph::BatchNormalization>(norm.op).epsilon);

  const auto scale_count = static_cast<int64_t>(scale.size());
  ASSIGN_OR_RETURN(Tensor folded_weights, Tensor::Create(tensor::DataType::kFloat32, weights.shape()));
  ASSIGN_OR_RETURN(Tensor folded_bias, Tensor::Create(tensor::DataType::kFloat32, {scale_count}));
  const auto from = weights.values<float>();
  const auto to = folded_weights.mutable_values<float>();
  const auto to_bias = folded_bias.mutable_values<float>();
  // Elements of one output channel that lie together: {M,C,K} has C*K, {C,M,K} of a ConvTranspose has K.
  const auto blocks = static_cast<size_t>(std::holds_alternative<graph::Conv>(conv.op) ? 1 : weights.shape()[0]);
  const size_t together = from.size() / scale.size() / blocks;
  for (size_t m = 0; m < scale.size(); ++m) {
    const double s = static_cast<double>(scale[m]) / std::sqrt(static_cast<double>(variance[m]) + epsilon);
    for (size_t block = 0; block < blocks; ++block) {
      const size_t first = (block * scale.size() + m) * together;
      for (size_t i = first; i < first + together; ++i) to[i] = static_cast<float>(s * static_cast<double>(from[i]));
    }
    const double b = bias == nullptr ? 0.0 : static_cast<double>(bias->values<float>()[m]);
    to_bias[m] = static_cast<float>(s * (b - static_cast<double>(mean[m])) + static_cast<double>(shift[m]));
  }
  const std::string prefix = absl::StrCat(conv.name, "+", norm.name);
  const graph::ValueId x = conv.inputs[0];
  conv.inputs = {x, graph.AddConstant(absl::StrCat(prefix, ".weights"), std::move(folded_weights)),
                 graph.AddConstant(absl::StrCat(prefix, ".bias"), std::move(folded_bias))};
  conv.outputs[0] = norm.outputs[0];
  if (auto* op = std::get_if<graph::Conv>(&conv.op); op != nullptr) {
    op->fused_relu = std::get<graph::BatchNormalization>(norm.op).fused_relu;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<bool> FoldBatchNormIntoConv(graph::Graph& graph) {
  const std::vector<int> uses = graph.UseCounts();
  const std::vector<int> producers = graph.Producers();
  std::vector<graph::Node>& nodes = graph.mutable_nodes();
  std::vector<bool> absorbed(nodes.size(), false);
  bool changed = false;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!std::holds_alternative<graph::BatchNormalization>(nodes[i].op)) continue;
    const auto between = static_cast<size_t>(nodes[i].inputs[0]);
    const int producer = producers[between];
    if (producer < 0 || uses[between] != 1) continue;
    graph::Node& conv = nodes[static_cast<size_t>(producer)];
    // `outputs` moves to what a fold gives, so a second BatchNormalization behind it finds no producer and stays.
    if (!IsPlain(conv, nodes[i]) || conv.outputs[0] != nodes[i].inputs[0] || !CanFold(graph, conv, nodes[i])) {
      continue;
    }
    RETURN_IF_ERROR(Fold(graph, conv, nodes[i]));
    absorbed[i] = true;
    changed = true;
  }
  size_t index = 0;
  std::erase_if(nodes, [&](const graph::Node&) { return absorbed[index++]; });
  return changed;
}

}  // namespace stillwave::passes
