#include "server/drift/watched_layers.h"

#include <algorithm>
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

}  // namespace

ObservedNetwork ObserveBatchNorm(const Graph& network) {
  ObservedNetwork observed;
  observed.graph = network;
  std::vector<ValueId>& outputs = observed.graph.mutable_outputs();
  outputs.clear();
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
    const auto known = std::find(outputs.begin(), outputs.end(), node.inputs[0]);
    layer.output = static_cast<size_t>(known - outputs.begin());
    if (known == outputs.end()) outputs.push_back(node.inputs[0]);
  }
  // It cannot fail: the graph was verified, and fewer outputs need fewer nodes.
  SW_CHECK_OK(passes::EliminateDeadNodes(observed.graph).status());
  return observed;
}

}  // namespace stillwave::drift
