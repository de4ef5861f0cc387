#include "server/overlap/time_locality.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"
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

absl::StatusOr<std::optional<Locality>> LocateOutput(const graph::Graph& graph, const graph::Node& node,
                                                     absl::Span<const std::optional<Locality>> values) {
  std::vector<std::optional<Locality>> inputs;
  for (const graph::ValueId id : node.inputs) {
    inputs.push_back(id == graph::kNoValue ? std::nullopt : values[static_cast<size_t>(id)]);
  }
  const bool reads_local = std::any_of(inputs.begin(), inputs.end(), [](const auto& in) { return in.has_value(); });
  if (!reads_local) return std::optional<Locality>();
  if (const std::optional<std::string> why = ReadsBeyond(graph, node, inputs)) return NotLocal(*why);
  ASSIGN_OR_RETURN(const Locality out, OutputLocality({graph, node, inputs}));
  return std::optional<Locality>(out);
}

Locality LocalityOfSamples(const tensor::Shape& input) {
  SW_CHECK(input.rank() > 0);
  Locality samples;
  samples.time_axis = input.rank() - 1;
  samples.positions = input[samples.time_axis];
  return samples;
}

TimeLocality FindTimeLocality(const graph::Graph& graph) {
  SW_CHECK(graph.inputs().size() == 1);
  TimeLocality found;
  found.values.resize(graph.values().size());
  const graph::ValueId input = graph.inputs()[0];
  found.values[static_cast<size_t>(input)] = LocalityOfSamples(graph.value(input).shape);
  for (const graph::Node& node : graph.nodes()) {
    const absl::StatusOr<std::optional<Locality>> out = LocateOutput(graph, node, found.values);
    if (out.ok()) {
      found.values[static_cast<size_t>(node.outputs[0])] = *out;
    } else if (found.end.empty()) {
      found.end = absl::StrCat(graph::Describe(node), " ", std::string(out.status().message()));
    }
  }
  return found;
}

}  // namespace stillwave::overlap
