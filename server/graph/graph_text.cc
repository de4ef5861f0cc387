#include "server/graph/graph_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace stillwave::graph {
namespace {

std::string ValueText(const Value& value) {
  return absl::StrCat(value.name, " ", tensor::Name(value.data_type), " ", value.shape.ToString());
}

}  // namespace

std::string Describe(const Node& node) { return absl::StrCat(OpName(node.op), " '", node.name, "'"); }

std::string ToText(const Graph& graph) {
  std::string text;
  for (const ValueId id : graph.inputs()) absl::StrAppend(&text, "input  ", ValueText(graph.value(id)), "\n");
  const std::vector<int> uses = graph.UseCounts();
  for (size_t i = 0; i < graph.values().size(); ++i) {
    const Value& value = graph.values()[i];
    if (value.constant != nullptr && uses[i] > 0) absl::StrAppend(&text, "const  ", ValueText(value), "\n");
  }
  for (const Node& node : graph.nodes()) {
    const auto name_of = [&](std::string* out, ValueId id) {
      absl::StrAppend(out, id == kNoValue ? "-" : graph.value(id).name);
    };
    const std::string attributes = OpAttributes(node.op);
    absl::StrAppend(&text, node.name, " = ", OpName(node.op), "(", absl::StrJoin(node.inputs, ", ", name_of), ")",
                    attributes.empty() ? "" : " ", attributes, " ->");
    for (const ValueId id : node.outputs) absl::StrAppend(&text, " ", ValueText(graph.value(id)));
    absl::StrAppend(&text, "\n");
  }
  for (const ValueId id : graph.outputs()) absl::StrAppend(&text, "output ", graph.value(id).name, "\n");
  return text;
}

}  // namespace stillwave::graph
