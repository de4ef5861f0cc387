#include "server/onnx/graph_importer.h"

#include <onnx/onnx_pb.h>

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/onnx/convert_context.h"
#include "server/onnx/import_state.h"
#include "server/onnx/input_reader.h"
#include "server/onnx/limits.h"
#include "server/onnx/names.h"
#include "server/onnx/node_order.h"
#include "server/onnx/op_converters.h"

namespace stillwave::onnx_import {
namespace {

using graph::ValueId;
using ::onnx::GraphProto;
using ::onnx::NodeProto;
using ::onnx::TensorProto;

class GraphImporter {
 public:
  GraphImporter(GraphProto& proto, GraphImportOptions options)
      : proto_(proto), options_(std::move(options)), state_(options_.data_folder) {
    state_.opset = options_.opset;
  }

  absl::StatusOr<graph::Graph> Run() {
    RETURN_IF_ERROR(CheckGraph());
    RETURN_IF_ERROR(ReadInitializers());
    RETURN_IF_ERROR(ReadInputs());
    CollectNames();
    ASSIGN_OR_RETURN(const std::vector<int> order, OrderNodes(proto_, given_));
    for (const int index : order) {
      RETURN_IF_ERROR(ConvertNode(index));
    }
    RETURN_IF_ERROR(ReadOutputs());
    return std::move(state_.graph);
  }

 private:
  absl::Status CheckGraph();
  absl::Status ReadInitializers();
  absl::Status ReadInputs();
  // Which names are taken and which are read; node outputs that nobody reads can be left out.
  void CollectNames();
  absl::Status ConvertNode(int index);
  absl::Status ReadOutputs();

  absl::Status CheckDomain(const NodeProto& node) const;
  absl::StatusOr<std::vector<ValueId>> NodeInputs(const NodeProto& node, const OpConverter& converter) const;
  std::string UniqueNodeName(const NodeProto& node);

  GraphProto& proto_;
  GraphImportOptions options_;
  ImportState state_;
  absl::flat_hash_set<std::string> given_;  // names of inputs and initializers
  absl::flat_hash_set<std::string> file_node_names_;
  absl::flat_hash_set<std::string> node_names_;  // of the nodes converted so far
  absl::flat_hash_map<std::string, int> next_numbers_;
};

absl::Status GraphImporter::CheckGraph() {
  const std::pair<absl::string_view, int> counts[] = {{"nodes", proto_.node_size()},
                                                      {"initializers", proto_.initializer_size()},
                                                      {"inputs", proto_.input_size()},
                                                      {"outputs", proto_.output_size()}};
  for (const auto& [what, count] : counts) {
    if (count > kMaxGraphEntries) {
      return absl::ResourceExhaustedError(
          absl::StrCat("a graph must not have more than ", kMaxGraphEntries, " ", what, "; has ", count));
    }
  }
  if (proto_.output_size() == 0) return absl::InvalidArgumentError("the graph must have an output; it has none");
  if (proto_.sparse_initializer_size() > 0) {
    return absl::UnimplementedError(absl::StrCat("sparse initializer ",
                                                 Quoted(proto_.sparse_initializer(0).values().name()),
                                                 " is not supported: export dense weights"));
  }
  RETURN_IF_ERROR(CheckName(proto_.name(), "graph"));
  state_.graph.name = proto_.name();
  return absl::OkStatus();
}

absl::Status GraphImporter::ReadInitializers() {
  for (TensorProto& initializer : *proto_.mutable_initializer()) {
    const std::string& name = initializer.name();
    const std::string label = absl::StrCat("initializer ", Quoted(name));
    if (name.empty()) return absl::InvalidArgumentError("an initializer has no name");
    RETURN_IF_ERROR(CheckName(name, "initializer"));
    if (!given_.insert(name).second) return absl::InvalidArgumentError(absl::StrCat(label, " is listed twice"));
    absl::StatusOr<tensor::Tensor> tensor = state_.initializers.Read(initializer);
    if (!tensor.ok()) return base::Annotate(tensor.status(), label);
    std::string().swap(*initializer.mutable_raw_data());
    state_.ids[name] = state_.graph.AddConstant(name, *std::move(tensor));
  }
  return absl::OkStatus();
}

absl::Status GraphImporter::ReadInputs() {
  absl::flat_hash_set<absl::string_view> seen;
  for (const auto& input : proto_.input()) {
    const std::string& name = input.name();
    const std::string label = absl::StrCat("graph input ", Quoted(name));
    if (name.empty()) return absl::InvalidArgumentError("a graph input has no name");
    RETURN_IF_ERROR(CheckName(name, "graph input"));
    if (!seen.insert(name).second) return absl::InvalidArgumentError(absl::StrCat(label, " is listed twice"));
    if (const auto weight = state_.ids.find(name); weight != state_.ids.end()) {
      const absl::Status same = CheckDeclaredWeight(input, *state_.graph.value(weight->second).constant);
      if (!same.ok()) return base::Annotate(same, label);
      continue;
    }
    const absl::StatusOr<InputType> type = ReadInputType(input);
    if (!type.ok()) return base::Annotate(type.status(), label);
    given_.insert(name);
    state_.ids[name] = state_.graph.AddInput(name, type->data_type, type->shape);
  }
  return absl::OkStatus();
}

void GraphImporter::CollectNames() {
  state_.all_names = given_;
  for (const NodeProto& node : proto_.node()) {
    state_.used_names.insert(node.input().begin(), node.input().end());
    state_.all_names.insert(node.output().begin(), node.output().end());
    file_node_names_.insert(node.name());
  }
  for (const auto& output : proto_.output()) state_.used_names.insert(output.name());
}

absl::Status GraphImporter::CheckDomain(const NodeProto& node) const {
  if (node.op_type().empty()) return absl::InvalidArgumentError("it names no operator");
  if (node.domain().empty() || node.domain() == "ai.onnx") return absl::OkStatus();
  if (!options_.domains.contains(node.domain())) {
    return absl::InvalidArgumentError(
        absl::StrCat("its domain ", Quoted(node.domain()), " is not in the model's opset_import"));
  }
  return absl::UnimplementedError(absl::StrCat(DescribeUnknownOp(node.op_type(), node.domain(), options_.opset),
                                               ": export without custom operators, before any runtime optimizes it"));
}

absl::StatusOr<std::vector<ValueId>> GraphImporter::NodeInputs(const NodeProto& node,
                                                               const OpConverter& converter) const {
  std::vector<ValueId> inputs;
  for (const std::string& name : node.input()) {
    inputs.push_back(name.empty() ? graph::kNoValue : state_.ids.at(name));
  }
  while (!inputs.empty() && inputs.back() == graph::kNoValue) inputs.pop_back();
  const auto count = static_cast<int>(inputs.size());
  if (count < converter.min_inputs || count > converter.max_inputs) {
    return absl::InvalidArgumentError(
        absl::StrCat("it must have ", converter.min_inputs,
                     converter.min_inputs == converter.max_inputs ? "" : absl::StrCat(" to ", converter.max_inputs),
                     " inputs; has ", count));
  }
  // Of a variable number (Concat) none may be left out.
  const int required = converter.max_inputs == kMaxNodeInputs ? count : converter.min_inputs;
  for (int i = 0; i < required; ++i) {
    if (inputs[static_cast<size_t>(i)] == graph::kNoValue) {
      return absl::InvalidArgumentError(absl::StrCat("input ", i, " is required; it is left out"));
    }
  }
  return inputs;
}

std::string GraphImporter::UniqueNodeName(const NodeProto& node) {
  // The first to bear a name keeps it; a made name is none that the file has.
  if (!node.name().empty() && node_names_.insert(node.name()).second) return node.name();
  const std::string& base = node.name().empty() ? node.output(0) : node.name();
  if (!file_node_names_.contains(base) && node_names_.insert(base).second) return base;
  // Goes on where it stopped: a file may hold the numbered names too, to make each search start over.
  int& number = next_numbers_.try_emplace(base, 2).first->second;
  std::string name;
  do {
    name = absl::StrCat(base, "#", number++);
  } while (file_node_names_.contains(name) || !node_names_.insert(name).second);
  return name;
}

absl::Status GraphImporter::ConvertNode(int index) {
  const NodeProto& node = proto_.node(index);
  const std::string label = NodeLabel(node);
  const auto annotate = [&](const absl::Status& status) { return base::Annotate(status, label); };
  RETURN_IF_ERROR(annotate(CheckDomain(node)));
  const OpConverter* converter = FindOpConverter(node.op_type(), options_.opset);
  if (converter == nullptr) {
    return annotate(absl::UnimplementedError(DescribeUnknownOp(node.op_type(), "", options_.opset)));
  }
  if (node.output_size() == 0 || node.output(0).empty()) {
    return annotate(absl::InvalidArgumentError("its first output has no name"));
  }
  if (node.output_size() > converter->max_outputs) {
    return annotate(absl::InvalidArgumentError(
        absl::StrCat("it must not have more than ", converter->max_outputs, " outputs; has ", node.output_size())));
  }
  absl::StatusOr<std::vector<ValueId>> inputs = NodeInputs(node, *converter);
  if (!inputs.ok()) return annotate(inputs.status());
  absl::StatusOr<AttributeReader> attributes = AttributeReader::Create(node, converter->attributes);
  if (!attributes.ok()) return annotate(attributes.status());
  ConvertContext context(state_, UniqueNodeName(node), *std::move(attributes), *std::move(inputs),
                         {node.output().begin(), node.output().end()});
  return annotate(converter->convert(context));
}

absl::Status GraphImporter::ReadOutputs() {
  absl::flat_hash_set<absl::string_view> seen;
  for (const auto& output : proto_.output()) {
    const std::string label = absl::StrCat("graph output ", Quoted(output.name()));
    const auto id = state_.ids.find(output.name());
    if (id == state_.ids.end()) {
      return absl::InvalidArgumentError(absl::StrCat(label, " is no input, no initializer and no node's output"));
    }
    if (!seen.insert(output.name()).second) return absl::InvalidArgumentError(absl::StrCat(label, " is listed twice"));
    state_.graph.AddOutput(id->second);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<graph::Graph> ImportGraph(GraphProto& proto, GraphImportOptions options) {
  return GraphImporter(proto, std::move(options)).Run();
}

}  // namespace stillwave::onnx_import
