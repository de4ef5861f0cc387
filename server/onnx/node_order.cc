#include "server/onnx/node_order.h"

#include <onnx/onnx_pb.h>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/base/status_macros.h"
#include "server/onnx/limits.h"
#include "server/onnx/names.h"

namespace stillwave::onnx_import {
namespace {

using ::onnx::GraphProto;
using ::onnx::NodeProto;
using Producers = absl::flat_hash_map<absl::string_view, int>;  // value name -> node index
using Given = absl::flat_hash_set<std::string>;

absl::Status CheckNode(const NodeProto& node) {
  if (node.input_size() > kMaxNodeInputs || node.output_size() > kMaxNodeOutputs) {
    return absl::InvalidArgumentError(absl::StrCat(NodeLabel(node), " must not have more than ", kMaxNodeInputs,
                                                   " inputs or ", kMaxNodeOutputs, " outputs; has ", node.input_size(),
                                                   " and ", node.output_size()));
  }
  RETURN_IF_ERROR(CheckName(node.name(), "node"));
  for (const std::string& name : node.output()) RETURN_IF_ERROR(CheckName(name, "value"));
  return absl::OkStatus();
}

absl::StatusOr<Producers> FindProducers(const GraphProto& graph, const Given& given) {
  Producers producers;
  for (int i = 0; i < graph.node_size(); ++i) {
    const NodeProto& node = graph.node(i);
    RETURN_IF_ERROR(CheckNode(node));
    for (const std::string& name : node.output()) {
      if (name.empty()) continue;
      if (given.contains(name)) {
        return absl::InvalidArgumentError(absl::StrCat(NodeLabel(node), " writes value ", Quoted(name),
                                                       ", which is an input or an initializer already"));
      }
      const auto [other, added] = producers.emplace(name, i);
      if (!added) {
        return absl::InvalidArgumentError(absl::StrCat("value ", Quoted(name), " must have one producer; ",
                                                       NodeLabel(graph.node(other->second)), " and ", NodeLabel(node),
                                                       " both write it"));
      }
    }
  }
  return producers;
}

// Edges from producers to readers, readers grouped by producer.
struct Edges {
  std::vector<int> missing;  // per node: how many of its inputs are not produced yet
  std::vector<int> first;    // readers[first[p]] to readers[first[p + 1]] read from node p
  std::vector<int> readers;
  bool sorted = true;  // in the file's order each producer comes first
};

absl::StatusOr<Edges> FindEdges(const GraphProto& graph, const Producers& producers, const Given& given) {
  Edges edges;
  const auto node_count = static_cast<size_t>(graph.node_size());
  edges.missing.resize(node_count);
  edges.first.resize(node_count + 1);
  std::vector<std::pair<int, int>> pairs;
  for (int i = 0; i < graph.node_size(); ++i) {
    for (const std::string& name : graph.node(i).input()) {
      if (name.empty() || given.contains(name)) continue;
      const auto producer = producers.find(name);
      if (producer == producers.end()) {
        return absl::InvalidArgumentError(absl::StrCat(NodeLabel(graph.node(i)), " reads value ", Quoted(name),
                                                       ", which is no input, no initializer and no node's output"));
      }
      pairs.emplace_back(producer->second, i);
      edges.sorted &= producer->second < i;
      ++edges.missing[static_cast<size_t>(i)];
      ++edges.first[static_cast<size_t>(producer->second) + 1];
    }
  }
  for (size_t i = 0; i < node_count; ++i) edges.first[i + 1] += edges.first[i];
  edges.readers.resize(pairs.size());
  std::vector<int> next(edges.first.begin(), edges.first.end() - 1);
  for (const auto& [producer, reader] : pairs) {
    edges.readers[static_cast<size_t>(next[static_cast<size_t>(producer)]++)] = reader;
  }
  return edges;
}

// A node that waits for itself: from any node that still waits, back to a producer that waits, until one comes again.
int FindNodeInCycle(const GraphProto& graph, const Producers& producers, const std::vector<int>& missing) {
  std::vector<bool> seen(missing.size(), false);
  int node = 0;
  while (missing[static_cast<size_t>(node)] == 0) ++node;
  while (!seen[static_cast<size_t>(node)]) {
    seen[static_cast<size_t>(node)] = true;
    for (const std::string& name : graph.node(node).input()) {
      const auto producer = producers.find(name);
      if (producer != producers.end() && missing[static_cast<size_t>(producer->second)] > 0) {
        node = producer->second;
        break;
      }
    }
  }
  return node;
}

}  // namespace

std::string NodeLabel(const NodeProto& node) {
  const bool by_output = node.name().empty() && node.output_size() > 0;
  return absl::StrCat("node ", by_output ? "of value " : "", Quoted(by_output ? node.output(0) : node.name()), " (",
                      node.op_type().empty()                                      ? "no operator"
                      : IsPlainText(node.op_type()) && node.op_type().size() < 64 ? node.op_type()
                                                                                  : Quoted(node.op_type()),
                      ")");
}

absl::StatusOr<std::vector<int>> OrderNodes(const GraphProto& graph, const Given& given) {
  ASSIGN_OR_RETURN(const Producers producers, FindProducers(graph, given));
  ASSIGN_OR_RETURN(Edges edges, FindEdges(graph, producers, given));
  std::vector<int> order;
  order.reserve(edges.missing.size());
  if (edges.sorted) {
    for (int i = 0; i < graph.node_size(); ++i) order.push_back(i);
    return order;
  }
  for (int i = 0; i < graph.node_size(); ++i) {
    if (edges.missing[static_cast<size_t>(i)] == 0) order.push_back(i);
  }
  for (size_t done = 0; done < order.size(); ++done) {
    const auto producer = static_cast<size_t>(order[done]);
    for (int edge = edges.first[producer]; edge < edges.first[producer + 1]; ++edge) {
      const int reader = edges.readers[static_cast<size_t>(edge)];
      if (--edges.missing[static_cast<size_t>(reader)] == 0) order.push_back(reader);
    }
  }
  if (order.size() < edges.missing.size()) {
    const int node = FindNodeInCycle(graph, producers, edges.missing);
    return absl::InvalidArgumentError(
        absl::StrCat(NodeLabel(graph.node(node)), " depends on its own output: the graph has a cycle"));
  }
  return order;
}

}  // namespace stillwave::onnx_import
