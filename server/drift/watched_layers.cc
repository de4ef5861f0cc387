#include "server/drift/watched_layers.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/base/check.h"
#include "server/passes/eliminate_dead_nodes.h"

namespace stillwave::drift {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;

// Of BatchNormalization: X, scale, bias, mean, variance.
constexpr size_t kScale = 1;
constexpr size_t kMean = 3;
constexpr size_t kVariance = 4;

bool HasStoredStatistics(const Graph& network, const Node& node) {
  return std::all_of(node.inputs.begin() + kScale, node.inputs.end(), [&](ValueId id) {
    const auto& constant = network.value(id).constant;
    return constant != nullptr && constant->data_type() == tensor::DataType::kFloat32;
  });
}

std::vector<double> ToDoubles(const Graph& network, ValueId id) {
  const auto values = network.value(id).constant->values<float>();
  return {values.begin(), values.end()};
}

// The importer names a node without a name after its output; what its parameters are called says more then.
std::string NameOf(const Graph& network, const Node& node, const std::set<absl::string_view>& made_names) {
  const std::string& scale = network.value(node.inputs[kScale]).name;
  if (scale.empty() || !made_names.contains(node.name)) return node.name;
  return std::string(absl::StripSuffix(scale, ".weight"));
}

std::string Unique(std::string name, std::set<std::string>& taken) {
  std::string unique = name;
  for (int number = 2; !taken.insert(unique).second; ++number) unique = absl::StrCat(name, "#", number);
  return unique;
}

// Which of the graph's outputs the value is; it becomes one if it is none.
size_t OutputFor(ValueId value, Graph& graph) {
  std::vector<ValueId>& outputs = graph.mutable_outputs();
  const auto known = std::find(outputs.begin(), outputs.end(), value);
  const auto index = static_cast<size_t>(known - outputs.begin());
  if (known == outputs.end()) outputs.push_back(value);
  return index;
}

std::vector<double> Widen(const std::vector<float>& values) { return {values.begin(), values.end()}; }

}  // namespace

ObservedNetwork ObserveBatchNorm(const Graph& network, absl::Span<const model::FoldedLayer> folded) {
  ObservedNetwork observed;
  observed.graph = network;
  observed.graph.mutable_outputs().clear();
  // The values that nodes make.
  std::set<absl::string_view> made_names;
  for (const graph::Value& value : network.values()) {
    if (value.constant == nullptr) made_names.insert(value.name);
  }
  std::set<std::string> taken;
  for (const Node& node : network.nodes()) {
    const auto* norm = std::get_if<graph::BatchNormalization>(&node.op);
    if (norm == nullptr || !HasStoredStatistics(network, node)) continue;
    WatchedLayer& layer = observed.layers.emplace_back();
    layer.name = Unique(NameOf(network, node, made_names), taken);
    layer.stored = {ToDoubles(network, node.inputs[kMean]), ToDoubles(network, node.inputs[kVariance]),
                    static_cast<double>(norm->epsilon)};
    layer.output = OutputFor(node.inputs[0], observed.graph);
  }
  for (const model::FoldedLayer& one : folded) {
    WatchedLayer& layer = observed.layers.emplace_back();
    layer.name = Unique(one.name, taken);
    layer.stored = {Widen(one.mean), Widen(one.variance), one.epsilon};
    layer.scale = Widen(one.scale);
    layer.shift = Widen(one.shift);
    layer.output = OutputFor(one.output, observed.graph);
  }
  // It cannot fail: the graph was verified, and fewer outputs need fewer nodes.
  SW_CHECK_OK(passes::EliminateDeadNodes(observed.graph).status());
  return observed;
}

ChannelMoments MomentsOfInput(const WatchedLayer& layer, ChannelMoments observed) {
  if (layer.scale.empty()) return observed;
  // Of the layer's largest scale: below it float32 holds nothing of the channel beside its shift.
  constexpr double kLeastScale = 1e-6;
  double largest = 0;
  for (const double scale : layer.scale) largest = std::max(largest, std::abs(scale));
  for (size_t c = 0; c < layer.scale.size(); ++c) {
    if (std::abs(layer.scale[c]) <= kLeastScale * largest) {
      observed.mean[c] = layer.stored.mean[c];
      observed.variance[c] = layer.stored.variance[c];
      continue;
    }
    const double factor = std::sqrt(layer.stored.variance[c] + layer.stored.epsilon) / layer.scale[c];
    observed.mean[c] = layer.stored.mean[c] + (observed.mean[c] - layer.shift[c]) * factor;
    observed.variance[c] *= factor * factor;
  }
  return observed;
}

}  // namespace stillwave::drift
