#include "server/onnx/stored_statistics.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"
#include "server/onnx/names.h"
#include "server/onnx/onnx_reader.h"

namespace stillwave::onnx_import {

using ::onnx::AttributeProto;
using ::onnx::GraphProto;
using ::onnx::NodeProto;
using ::onnx::TensorProto;

// Where one statistic lies, and what becomes of it.
struct StoredStatistics::Place {
  TensorProto* tensor = nullptr;        // one of these two
  AttributeProto* floats = nullptr;     // Constant's value_floats
  std::vector<NodeProto*> readers;      // the layer's nodes
  int input = 0;                        // of the readers: 3 the mean, 4 the variance
  std::string new_name;                 // of the initializer to be added; empty: replaced where it is
  const NodeProto* stand_in = nullptr;  // the Identity that has that name now
};

namespace {

constexpr std::array<std::pair<int, absl::string_view>, 2> kStatisticInputs = {{{3, "mean"}, {4, "variance"}}};
constexpr absl::string_view kMeanSuffix = ".running_mean";

bool IsOnnxOp(const NodeProto& node, absl::string_view op) {
  return node.op_type() == op && (node.domain().empty() || node.domain() == "ai.onnx");
}

// Who makes and who reads each name of the graph.
class NameTable {
 public:
  explicit NameTable(GraphProto& graph) {
    for (TensorProto& tensor : *graph.mutable_initializer()) {
      initializers_.emplace(tensor.name(), &tensor);
      names_.insert(tensor.name());
    }
    for (const auto& input : graph.input()) names_.insert(input.name());
    for (NodeProto& node : *graph.mutable_node()) {
      for (const std::string& output : node.output()) {
        producers_.emplace(output, &node);
        names_.insert(output);
      }
      for (const std::string& input : node.input()) ++reads_[input];
    }
    for (const auto& output : graph.output()) ++reads_[output.name()];
  }

  TensorProto* Initializer(absl::string_view name) const { return Find(initializers_, name); }
  NodeProto* Producer(absl::string_view name) const { return Find(producers_, name); }
  size_t Reads(absl::string_view name) const {
    const auto found = reads_.find(name);
    return found == reads_.end() ? 0 : found->second;
  }

  std::string UniqueName(absl::string_view wanted) {
    std::string name(wanted);
    for (int number = 2; !names_.insert(name).second; ++number) name = absl::StrCat(wanted, "_", number);
    return name;
  }

 private:
  template <typename Map>
  static typename Map::mapped_type Find(const Map& map, absl::string_view name) {
    const auto found = map.find(name);
    return found == map.end() ? nullptr : found->second;
  }

  absl::flat_hash_map<std::string, TensorProto*> initializers_;
  absl::flat_hash_map<std::string, NodeProto*> producers_;
  absl::flat_hash_map<std::string, size_t> reads_;
  absl::flat_hash_set<std::string> names_;
};

// The names from what a node reads back to what holds the elements, through Identity nodes.
std::vector<std::string> ChainOf(const NameTable& table, std::string name) {
  std::vector<std::string> chain = {std::move(name)};
  // A cycle of Identity nodes is longer than no graph's chain; the importer refuses it with its own words.
  constexpr size_t kLongestChain = 100;
  while (chain.size() < kLongestChain && table.Initializer(chain.back()) == nullptr) {
    const NodeProto* producer = table.Producer(chain.back());
    if (producer == nullptr || !IsOnnxOp(*producer, "Identity") || producer->input_size() != 1) break;
    chain.push_back(producer->input(0));
  }
  return chain;
}

// True when nothing but `uses` reads of the first name leads to the tensor.
bool IsOwn(const NameTable& table, const std::vector<std::string>& chain, size_t uses) {
  if (table.Reads(chain[0]) != uses) return false;
  return std::all_of(chain.begin() + 1, chain.end(), [&](const std::string& name) { return table.Reads(name) == 1; });
}

std::string StatisticLabel(const NodeProto& node, absl::string_view what) {
  return absl::StrCat("node ", Quoted(node.name().empty() ? node.output(0) : node.name()),
                      " (BatchNormalization): ", what);
}

// Sets `tensor` or `floats`.
absl::Status FindElements(const NameTable& table, const std::string& root, TensorProto*& tensor,
                          AttributeProto*& floats) {
  tensor = table.Initializer(root);
  NodeProto* producer = table.Producer(root);
  if (tensor == nullptr && producer != nullptr && IsOnnxOp(*producer, "Constant")) {
    for (AttributeProto& attribute : *producer->mutable_attribute()) {
      if (attribute.name() == "value" && attribute.has_t()) tensor = attribute.mutable_t();
      if (attribute.name() == "value_floats") floats = &attribute;
    }
  }
  if (tensor != nullptr && tensor->data_type() != TensorProto::FLOAT) {
    return absl::UnimplementedError(absl::StrCat("must be FP32 to be replaced; ", Quoted(root), " is not"));
  }
  if (tensor != nullptr || floats != nullptr) return absl::OkStatus();
  if (producer == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("must be an initializer; ", Quoted(root), " is not in the file"));
  }
  return absl::UnimplementedError(absl::StrCat("must be an initializer or a Constant to be replaced; ", Quoted(root),
                                               " is computed by a ", producer->op_type(),
                                               " node: export the model in FP32 without further conversion"));
}

std::string LayerName(const NodeProto& node) {
  absl::string_view mean = node.input(3);
  if (absl::ConsumeSuffix(&mean, kMeanSuffix) && !mean.empty()) return std::string(mean);
  return node.name().empty() ? node.output(0) : node.name();
}

// The BatchNormalization nodes that read the same four parameters, in the order of the file.
std::vector<std::vector<NodeProto*>> GroupByParameters(GraphProto& graph) {
  std::vector<std::vector<NodeProto*>> groups;
  absl::flat_hash_map<std::string, size_t> known;
  for (NodeProto& node : *graph.mutable_node()) {
    if (!IsOnnxOp(node, "BatchNormalization") || node.input_size() < 5 || node.output_size() < 1) continue;
    const std::string key =
        absl::StrJoin(node.input().begin() + 1, node.input().begin() + 5, absl::string_view("\0", 1));
    const auto [entry, is_new] = known.emplace(key, groups.size());
    if (is_new) groups.emplace_back();
    groups[entry->second].push_back(&node);
  }
  return groups;
}

// One module that is applied several times reads parameters that nothing else reads. Where the mean is another layer's
// shift too, say, the exporter keeps equal tensors once, and the nodes are modules of their own.
std::vector<std::vector<NodeProto*>> FindModules(GraphProto& graph, const NameTable& table) {
  std::vector<std::vector<NodeProto*>> modules;
  for (std::vector<NodeProto*>& group : GroupByParameters(graph)) {
    const bool is_own = std::all_of(kStatisticInputs.begin(), kStatisticInputs.end(), [&](const auto& statistic) {
      return IsOwn(table, ChainOf(table, group[0]->input(statistic.first)), group.size());
    });
    if (is_own) {
      modules.push_back(std::move(group));
    } else {
      for (NodeProto* node : group) modules.push_back({node});
    }
  }
  return modules;
}

void ReplaceElements(TensorProto& tensor, absl::Span<const float> values) {
  if (tensor.float_data_size() > 0) {
    tensor.mutable_float_data()->Assign(values.begin(), values.end());
    return;
  }
  tensor.clear_external_data();
  tensor.clear_data_location();
  tensor.set_raw_data(values.data(), values.size() * sizeof(float));
}

void AddInitializer(::onnx::ModelProto& model, const std::string& name, absl::Span<const float> values) {
  // Before version 4 every initializer is a graph input too.
  constexpr int64_t kInitializersAlone = 4;
  if (model.ir_version() < kInitializersAlone) {
    auto* input = model.mutable_graph()->add_input();
    input->set_name(name);
    auto* type = input->mutable_type()->mutable_tensor_type();
    type->set_elem_type(TensorProto::FLOAT);
    type->mutable_shape()->add_dim()->set_dim_value(static_cast<int64_t>(values.size()));
  }
  TensorProto* tensor = model.mutable_graph()->add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(TensorProto::FLOAT);
  tensor->add_dims(static_cast<int64_t>(values.size()));
  tensor->set_raw_data(values.data(), values.size() * sizeof(float));
}

void RemoveNode(GraphProto& graph, const NodeProto* node) {
  for (int i = 0; i < graph.node_size(); ++i) {
    if (&graph.node(i) != node) continue;
    graph.mutable_node()->DeleteSubrange(i, 1);
    return;
  }
}

void CollectLocations(const TensorProto& tensor, std::set<std::string>& locations) {
  if (tensor.data_location() != TensorProto::EXTERNAL) return;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") locations.insert(entry.value());
  }
}

}  // namespace

StoredStatistics::StoredStatistics() = default;
StoredStatistics::StoredStatistics(StoredStatistics&&) noexcept = default;
StoredStatistics& StoredStatistics::operator=(StoredStatistics&&) noexcept = default;
StoredStatistics::~StoredStatistics() = default;

absl::StatusOr<StoredStatistics> StoredStatistics::Read(const std::string& path) {
  StoredStatistics result;
  ASSIGN_OR_RETURN(result.model_, ReadModelFile(path));
  RETURN_IF_ERROR(CheckModel(*result.model_).status());
  GraphProto& graph = *result.model_->mutable_graph();
  NameTable table(graph);
  for (const std::vector<NodeProto*>& nodes : FindModules(graph, table)) {
    Layer layer;
    layer.name = LayerName(*nodes[0]);
    for (const NodeProto* node : nodes) {
      layer.node_names.push_back(node->name());
      layer.outputs.push_back(node->output(0));
    }
    for (const auto& [input, what] : kStatisticInputs) {
      Place place;
      place.readers = nodes;
      place.input = input;
      const std::vector<std::string> chain = ChainOf(table, nodes[0]->input(input));
      const absl::Status found = FindElements(table, chain.back(), place.tensor, place.floats);
      if (!found.ok()) {
        return absl::Status(found.code(), absl::StrCat(StatisticLabel(*nodes[0], what), " ", found.message()));
      }
      if (!IsOwn(table, chain, nodes.size())) {
        layer.was_shared = true;
        if (chain.size() > 1 && table.Reads(chain[0]) == nodes.size()) {
          place.stand_in = table.Producer(chain[0]);
          place.new_name = chain[0];
        } else {
          place.new_name = table.UniqueName(absl::StrCat(nodes[0]->output(0), ".running_", what));
        }
      }
      result.places_.push_back(std::move(place));
    }
    result.layers_.push_back(std::move(layer));
  }
  return result;
}

void StoredStatistics::Set(size_t layer, absl::Span<const float> mean, absl::Span<const float> variance) {
  SW_CHECK(layer < layers_.size() && mean.size() == variance.size());
  const std::array<absl::Span<const float>, 2> statistics = {mean, variance};
  for (size_t i = 0; i < statistics.size(); ++i) {
    Place& place = places_[2 * layer + i];
    if (!place.new_name.empty()) {
      if (place.stand_in != nullptr) RemoveNode(*model_->mutable_graph(), place.stand_in);
      AddInitializer(*model_, place.new_name, statistics[i]);
      for (NodeProto* reader : place.readers) reader->set_input(place.input, place.new_name);
    } else if (place.tensor != nullptr) {
      ReplaceElements(*place.tensor, statistics[i]);
    } else {
      place.floats->mutable_floats()->Assign(statistics[i].begin(), statistics[i].end());
    }
  }
}

std::set<std::string> StoredStatistics::DataFiles() const {
  std::set<std::string> locations;
  for (const TensorProto& tensor : model_->graph().initializer()) CollectLocations(tensor, locations);
  for (const NodeProto& node : model_->graph().node()) {
    for (const AttributeProto& attribute : node.attribute()) CollectLocations(attribute.t(), locations);
  }
  return locations;
}

absl::StatusOr<std::string> StoredStatistics::Serialize() const {
  std::string bytes;
  if (!model_->SerializeToString(&bytes)) {
    return absl::ResourceExhaustedError("the model is too large to be written: one file holds 2 GiB at most");
  }
  return bytes;
}

}  // namespace stillwave::onnx_import
