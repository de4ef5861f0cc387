// A directed acyclic graph of operators over named values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/graph/op.h"
#include "server/tensor/data_type.h"
#include "server/tensor/shape.h"
#include "server/tensor/tensor.h"

namespace stillwave::graph {

// Index into Graph::values().
using ValueId = int32_t;

// Stands for an optional input that is left out.
inline constexpr ValueId kNoValue = -1;

struct Value {
  std::string name;
  // Of graph inputs and constants this is given; of the rest it is what shape inference found.
  tensor::DataType data_type = tensor::DataType::kFloat32;
  tensor::Shape shape;
  // Set for weights and folded values; shared by all graphs and plans made from one file.
  std::shared_ptr<const tensor::Tensor> constant;
};

struct Node {
  std::string name;  // never empty: the importer makes one from the first output
  Op op;
  std::vector<ValueId> inputs;  // kNoValue where an optional input is left out
  std::vector<ValueId> outputs;
};

// Nodes stand in an order in which each value is produced before it is used; VerifyGraph checks that.
// Copies are cheap: constants are shared. Const use is thread-safe.
class Graph {
 public:
  // Adds a value that a node will produce.
  ValueId AddValue(absl::string_view name);
  // Adds a graph input. Dimensions may be tensor::kDynamicDim.
  ValueId AddInput(absl::string_view name, tensor::DataType data_type, const tensor::Shape& shape);
  ValueId AddConstant(absl::string_view name, std::shared_ptr<const tensor::Tensor> constant);
  ValueId AddConstant(absl::string_view name, tensor::Tensor constant);
  // Appends a node; its inputs must have been produced. REQUIRES: all ids are valid.
  void AddNode(Node node);
  void AddOutput(ValueId value);

  const std::vector<Value>& values() const { return values_; }
  const Value& value(ValueId id) const { return values_[static_cast<size_t>(id)]; }
  Value& mutable_value(ValueId id) { return values_[static_cast<size_t>(id)]; }

  const std::vector<Node>& nodes() const { return nodes_; }
  std::vector<Node>& mutable_nodes() { return nodes_; }

  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<ValueId>& outputs() const { return outputs_; }
  std::vector<ValueId>& mutable_outputs() { return outputs_; }

  // How often each value is read, by nodes and as graph output; indexed by ValueId.
  std::vector<int> UseCounts() const;
  // The index of the node that produces each value, or -1 (inputs, constants); indexed by ValueId.
  std::vector<int> Producers() const;
  // Lets every reader of value v read replacement[v] instead, graph outputs too. A replacement may itself be replaced.
  // REQUIRES: one entry per value; entries that stay hold their own id; no cycles.
  void ReplaceUses(std::vector<ValueId> replacement);

  // Of the file, for messages.
  std::string name;

 private:
  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<ValueId> inputs_;
  std::vector<ValueId> outputs_;
};

}  // namespace stillwave::graph
