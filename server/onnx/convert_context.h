// What a converter sees of its node, and how it writes into the graph.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/graph/graph.h"
#include "server/onnx/attribute_reader.h"
#include "server/onnx/import_state.h"

namespace stillwave::onnx_import {

// One ONNX node under conversion. A converter ends with exactly one successful Emit or EmitConstant for each used
// output (the first always); the importer puts the node's name, operator and opset in front of its errors.
class ConvertContext {
 public:
  // `inputs` without trailing left-out ones; `output_names` as in the file.
  ConvertContext(ImportState& state, std::string node_name, AttributeReader attributes,
                 std::vector<graph::ValueId> inputs, std::vector<std::string> output_names);

  int64_t opset() const { return state_.opset; }
  const AttributeReader& attributes() const { return attributes_; }

  size_t input_count() const { return inputs_.size(); }
  // kNoValue where an optional input is left out.
  graph::ValueId input(size_t index) const;
  // Null when the input is left out or computed. Sees through Identity.
  const tensor::Tensor* ConstantInput(size_t index) const;

  // The shape of an input that is a constant or a graph input (which may have dynamic dimensions); null when it is left
  // out or computed. Sees through Identity. Valid until something is added to the graph.
  const tensor::Shape* DeclaredShape(size_t index) const;

  size_t output_count() const { return output_names_.size(); }
  // True when the output has a name; "used" when something reads it as well.
  bool OutputNamed(size_t index) const;
  bool OutputUsed(size_t index) const;

  // The tensor in an attribute; null when it is left out.
  absl::StatusOr<std::shared_ptr<const tensor::Tensor>> TensorAttribute(absl::string_view name);

  // A new int64 {K} constant, for an input that was an attribute in earlier opsets.
  graph::ValueId AddInt64s(absl::string_view suffix, absl::Span<const int64_t> values);
  graph::ValueId AddConstant(absl::string_view suffix, tensor::Tensor value);
  graph::ValueId AddFloatScalar(absl::string_view suffix, float value);

  // Appends a node that makes the first output out of the inputs as they are, or out of others.
  absl::Status Emit(graph::Op op);
  absl::Status Emit(graph::Op op, std::vector<graph::ValueId> inputs);
  // The same for another output, of an operator that has several.
  absl::Status EmitOutput(size_t index, graph::Op op, std::vector<graph::ValueId> inputs);
  // Appends a node whose output only the node to be emitted reads.
  graph::ValueId AddNode(absl::string_view suffix, graph::Op op, std::vector<graph::ValueId> inputs);
  // The first output is this constant; no node.
  absl::Status EmitConstant(std::shared_ptr<const tensor::Tensor> value);

 private:
  std::string MadeName(absl::string_view suffix);

  ImportState& state_;
  std::string node_name_;
  AttributeReader attributes_;
  std::vector<graph::ValueId> inputs_;
  std::vector<std::string> output_names_;
};

}  // namespace stillwave::onnx_import
