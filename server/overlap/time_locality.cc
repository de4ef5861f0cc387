#include "server/overlap/time_locality.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/graph/graph_text.h"
#include "server/overlap/locality_rules.h"

namespace stillwave::overlap {
namespace {

// Why a node is not local although all its rules might allow it: some input is neither local nor constant.
std::optional<std::string> ReadsBeyond(const graph::Graph& graph, const graph::Node& node,
                                       absl::Span<const std::optional<Locality>> inputs) {
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == graph::kNoValue || inputs[i].has_value()) continue;
    const graph::Value& value = graph.value(node.inputs[i]);
    if (value.constant == nullptr) return absl::StrCat("reads '", value.name, "', which is not local");
  }
  return std::nullopt;
}

}  // namespace

TimeLocality FindTimeLocality(const graph::Graph& graph) {
  SW_CHECK(graph.inputs().size() == 1);
  TimeLocality found;
  found.values.resize(graph.values().size());
  const tensor::Shape& input = graph.value(graph.inputs()[0]).shape;
  SW_CHECK(input.rank() > 0);
  Locality& samples = found.values[static_cast<size_t>(graph.inputs()[0])].emplace();
  samples.time_axis = input.rank() - 1;
  samples.positions = input[samples.time_axis];
  for (const graph::Node& node : graph.nodes()) {
    std::vector<std::optional<Locality>> inputs;
    for (const graph::ValueId id : node.inputs) {
      inputs.push_back(id == graph::kNoValue ? std::nullopt : found.values[static_cast<size_t>(id)]);
    }
    const bool reads_local = std::any_of(inputs.begin(), inputs.end(), [](const auto& in) { return in.has_value(); });
    if (!reads_local) continue;
    std::optional<std::string> why = ReadsBeyond(graph, node, inputs);
    if (!why.has_value()) {
      const absl::StatusOr<Locality> out = OutputLocality({graph, node, inputs});
      if (out.ok()) {
        found.values[static_cast<size_t>(node.outputs[0])] = *out;
        continue;
      }
      why = std::string(out.status().message());
    }
    if (found.end.empty()) found.end = absl::StrCat(graph::Describe(node), " ", *why);
  }
  return found;
}

}  // namespace stillwave::overlap
