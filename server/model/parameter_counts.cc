#include "server/model/parameter_counts.h"

#include <variant>

#include "absl/container/flat_hash_set.h"

namespace stillwave::model {
namespace {

// Bounds of Clip, divisors and other scalars are settings of the network, not parameters of it.
bool IsParameter(const graph::Value& value) {
  return value.constant != nullptr && value.constant->data_type() == tensor::DataType::kFloat32 &&
         value.constant->shape().rank() > 0;
}

}  // namespace

ParameterCounts CountParameters(const graph::Graph& graph) {
  ParameterCounts counts;
  absl::flat_hash_set<const tensor::Tensor*> seen;
  for (const graph::Node& node : graph.nodes()) {
    const bool is_norm = std::holds_alternative<graph::BatchNormalization>(node.op);
    if (is_norm) ++counts.batch_norm_layers;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == graph::kNoValue) continue;
      const graph::Value& value = graph.value(node.inputs[i]);
      if (!IsParameter(value)) continue;
      const int64_t count = value.constant->num_elements();
      const bool is_statistic = is_norm && i >= 3;
      // Exporters merge equal tensors (γ = running variance = 1 before training): such a one counts in each role.
      if (is_statistic) counts.running_statistics += count;
      if (is_norm && !is_statistic) counts.batch_norm_affine += count;
      if (!is_statistic && (is_norm || seen.insert(value.constant.get()).second)) counts.learnable += count;
    }
  }
  return counts;
}

}  // namespace stillwave::model
