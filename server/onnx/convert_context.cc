#include "server/onnx/convert_context.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/check.h"
#include "server/base/status_macros.h"

namespace stillwave::onnx_import {

using graph::kNoValue;
using graph::ValueId;
using tensor::Tensor;

const Tensor* ImportState::ConstantOf(ValueId value) const {
  if (value == kNoValue) return nullptr;
  // Each entry already points at the front of its chain of Identity nodes.
  const auto source = identity_source.find(value);
  return graph.value(source == identity_source.end() ? value : source->second).constant.get();
}

std::string ImportState::UniqueValueName(absl::string_view wanted) {
  std::string name(wanted);
  for (int number = 2; !all_names.insert(name).second; ++number) name = absl::StrCat(wanted, "_", number);
  return name;
}

ConvertContext::ConvertContext(ImportState& state, std::string node_name, AttributeReader attributes,
                               std::vector<ValueId> inputs, std::vector<std::string> output_names)
    : state_(state),
      node_name_(std::move(node_name)),
      attributes_(std::move(attributes)),
      inputs_(std::move(inputs)),
      output_names_(std::move(output_names)) {}

ValueId ConvertContext::input(size_t index) const { return index < inputs_.size() ? inputs_[index] : kNoValue; }

const Tensor* ConvertContext::ConstantInput(size_t index) const { return state_.ConstantOf(input(index)); }

const tensor::Shape* ConvertContext::DeclaredShape(size_t index) const {
  if (const Tensor* constant = ConstantInput(index); constant != nullptr) return &constant->shape();
  if (input(index) == kNoValue) return nullptr;
  const auto source = state_.identity_source.find(input(index));
  const ValueId id = source == state_.identity_source.end() ? input(index) : source->second;
  const std::vector<ValueId>& given = state_.graph.inputs();
  return std::find(given.begin(), given.end(), id) == given.end() ? nullptr : &state_.graph.value(id).shape;
}

bool ConvertContext::OutputNamed(size_t index) const {
  return index < output_names_.size() && !output_names_[index].empty();
}

bool ConvertContext::OutputUsed(size_t index) const {
  return OutputNamed(index) && state_.used_names.contains(output_names_[index]);
}

absl::StatusOr<std::shared_ptr<const Tensor>> ConvertContext::TensorAttribute(absl::string_view name) {
  ASSIGN_OR_RETURN(const ::onnx::TensorProto* proto, attributes_.Tensor(name));
  if (proto == nullptr) return std::shared_ptr<const Tensor>();
  absl::StatusOr<Tensor> tensor = state_.initializers.Read(*proto);
  if (!tensor.ok()) return base::Annotate(tensor.status(), absl::StrCat("attribute '", name, "'"));
  return std::make_shared<const Tensor>(*std::move(tensor));
}

std::string ConvertContext::MadeName(absl::string_view suffix) {
  return state_.UniqueValueName(absl::StrCat(output_names_[0], "/", suffix));
}

ValueId ConvertContext::AddInt64s(absl::string_view suffix, absl::Span<const int64_t> values) {
  const tensor::Shape shape = {static_cast<int64_t>(values.size())};
  return state_.graph.AddConstant(MadeName(suffix), Tensor::FromValues<int64_t>(shape, values));
}

ValueId ConvertContext::AddConstant(absl::string_view suffix, Tensor value) {
  return state_.graph.AddConstant(MadeName(suffix), std::move(value));
}

ValueId ConvertContext::AddFloatScalar(absl::string_view suffix, float value) {
  return state_.graph.AddConstant(MadeName(suffix), Tensor::FromValues<float>({}, {&value, 1}));
}

absl::Status ConvertContext::Emit(graph::Op op) { return Emit(std::move(op), inputs_); }

absl::Status ConvertContext::Emit(graph::Op op, std::vector<ValueId> inputs) {
  return EmitOutput(0, std::move(op), std::move(inputs));
}

absl::Status ConvertContext::EmitOutput(size_t index, graph::Op op, std::vector<ValueId> inputs) {
  const bool is_identity = std::holds_alternative<graph::Identity>(op);
  const std::string& name = output_names_[index];
  const ValueId output = state_.graph.AddValue(name);
  SW_CHECK(state_.ids.emplace(name, output).second);
  if (is_identity) {
    const auto source = state_.identity_source.find(inputs[0]);
    state_.identity_source[output] = source == state_.identity_source.end() ? inputs[0] : source->second;
  }
  const std::string node_name = index == 0 ? node_name_ : absl::StrCat(node_name_, "/", index);
  state_.graph.AddNode({node_name, std::move(op), std::move(inputs), {output}});
  return absl::OkStatus();
}

ValueId ConvertContext::AddNode(absl::string_view suffix, graph::Op op, std::vector<ValueId> inputs) {
  const ValueId output = state_.graph.AddValue(MadeName(suffix));
  state_.graph.AddNode({absl::StrCat(node_name_, "/", suffix), std::move(op), std::move(inputs), {output}});
  return output;
}

absl::Status ConvertContext::EmitConstant(std::shared_ptr<const Tensor> value) {
  const ValueId output = state_.graph.AddConstant(output_names_[0], std::move(value));
  SW_CHECK(state_.ids.emplace(output_names_[0], output).second);
  return absl::OkStatus();
}

}  // namespace stillwave::onnx_import
