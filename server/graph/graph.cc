#include "server/graph/graph.h"

#include <utility>

#include "server/base/check.h"

namespace stillwave::graph {

ValueId Graph::AddValue(absl::string_view value_name) {
  Value value;
  value.name = std::string(value_name);
  values_.push_back(std::move(value));
  return static_cast<ValueId>(values_.size()) - 1;
}

ValueId Graph::AddInput(absl::string_view value_name, tensor::DataType data_type, const tensor::Shape& shape) {
  const ValueId id = AddValue(value_name);
  mutable_value(id).data_type = data_type;
  mutable_value(id).shape = shape;
  inputs_.push_back(id);
  return id;
}

ValueId Graph::AddConstant(absl::string_view value_name, std::shared_ptr<const tensor::Tensor> constant) {
  SW_CHECK(constant != nullptr);
  const ValueId id = AddValue(value_name);
  Value& value = mutable_value(id);
  value.data_type = constant->data_type();
  value.shape = constant->shape();
  value.constant = std::move(constant);
  return id;
}

ValueId Graph::AddConstant(absl::string_view value_name, tensor::Tensor constant) {
  return AddConstant(value_name, std::make_shared<const tensor::Tensor>(std::move(constant)));
}

void Graph::AddNode(Node node) {
  const auto count = static_cast<ValueId>(values_.size());
  for (const ValueId id : node.inputs) SW_CHECK(id >= kNoValue && id < count);
  for (const ValueId id : node.outputs) SW_CHECK(id >= 0 && id < count);
  nodes_.push_back(std::move(node));
}

void Graph::AddOutput(ValueId value) {
  SW_CHECK(value >= 0 && static_cast<size_t>(value) < values_.size());
  outputs_.push_back(value);
}

std::vector<int> Graph::UseCounts() const {
  std::vector<int> counts(values_.size(), 0);
  for (const Node& node : nodes_) {
    for (const ValueId id : node.inputs) {
      if (id != kNoValue) ++counts[static_cast<size_t>(id)];
    }
  }
  for (const ValueId id : outputs_) ++counts[static_cast<size_t>(id)];
  return counts;
}

std::vector<int> Graph::Producers() const {
  std::vector<int> producers(values_.size(), -1);
  for (size_t i = 0; i < nodes_.size(); ++i) {
    for (const ValueId id : nodes_[i].outputs) producers[static_cast<size_t>(id)] = static_cast<int>(i);
  }
  return producers;
}

void Graph::ReplaceUses(std::vector<ValueId> replacement) {
  SW_CHECK(replacement.size() == values_.size());
  // Follows a chain to its end and shortens it, so that long chains stay linear.
  const auto resolve = [&replacement](ValueId id) {
    ValueId end = id;
    while (replacement[static_cast<size_t>(end)] != end) end = replacement[static_cast<size_t>(end)];
    while (id != end) id = std::exchange(replacement[static_cast<size_t>(id)], end);
    return end;
  };
  for (Node& node : nodes_) {
    for (ValueId& id : node.inputs) {
      if (id != kNoValue) id = resolve(id);
    }
  }
  for (ValueId& id : outputs_) id = resolve(id);
}

}  // namespace stillwave::graph
