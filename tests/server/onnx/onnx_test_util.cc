#include "tests/server/onnx/onnx_test_util.h"

#include <onnx/onnx_pb.h>

#include <numeric>

#include "absl/strings/str_cat.h"
#include "server/onnx/onnx_importer.h"

namespace stillwave::onnx_import::testing {
namespace {

using ::onnx::AttributeProto;
using ::onnx::TensorProto;

void Fill(const FloatTensor& tensor, TensorProto& proto) {
  proto.set_data_type(TensorProto::FLOAT);
  proto.mutable_dims()->Add(tensor.dims.begin(), tensor.dims.end());
  proto.set_raw_data(tensor.values.data(), tensor.values.size() * sizeof(float));
}

void Fill(const Int64Tensor& tensor, TensorProto& proto) {
  proto.set_data_type(TensorProto::INT64);
  proto.mutable_dims()->Add(tensor.dims.begin(), tensor.dims.end());
  proto.mutable_int64_data()->Add(tensor.values.begin(), tensor.values.end());
}

void Fill(const BoolTensor& tensor, TensorProto& proto) {
  proto.set_data_type(TensorProto::BOOL);
  proto.mutable_dims()->Add(tensor.dims.begin(), tensor.dims.end());
  proto.mutable_int32_data()->Add(tensor.values.begin(), tensor.values.end());
}

struct AttributeFiller {
  AttributeProto& proto;

  void operator()(int64_t value) const {
    proto.set_type(AttributeProto::INT);
    proto.set_i(value);
  }
  void operator()(float value) const {
    proto.set_type(AttributeProto::FLOAT);
    proto.set_f(value);
  }
  void operator()(const std::string& value) const {
    proto.set_type(AttributeProto::STRING);
    proto.set_s(value);
  }
  void operator()(const std::vector<int64_t>& value) const {
    proto.set_type(AttributeProto::INTS);
    proto.mutable_ints()->Add(value.begin(), value.end());
  }
  void operator()(const std::vector<float>& value) const {
    proto.set_type(AttributeProto::FLOATS);
    proto.mutable_floats()->Add(value.begin(), value.end());
  }
  template <typename Tensor>
  void operator()(const Tensor& value) const {
    proto.set_type(AttributeProto::TENSOR);
    Fill(value, *proto.mutable_t());
  }
};

}  // namespace

ModelBuilder::ModelBuilder(int64_t opset) : model_(std::make_unique<::onnx::ModelProto>()) {
  model_->set_ir_version(8);
  auto* import = model_->add_opset_import();
  import->set_domain("");
  import->set_version(opset);
  model_->mutable_graph()->set_name("g");
}

ModelBuilder::~ModelBuilder() = default;

ModelBuilder& ModelBuilder::Input(const std::string& name, const std::vector<int64_t>& dims) {
  auto* input = model_->mutable_graph()->add_input();
  input->set_name(name);
  auto* type = input->mutable_type()->mutable_tensor_type();
  type->set_elem_type(TensorProto::FLOAT);
  type->mutable_shape();
  for (const int64_t dim : dims) type->mutable_shape()->add_dim()->set_dim_value(dim);
  return *this;
}

ModelBuilder& ModelBuilder::Weight(const std::string& name, const FloatTensor& tensor) {
  TensorProto* proto = model_->mutable_graph()->add_initializer();
  proto->set_name(name);
  Fill(tensor, *proto);
  return *this;
}

ModelBuilder& ModelBuilder::Weight(const std::string& name, const Int64Tensor& tensor) {
  TensorProto* proto = model_->mutable_graph()->add_initializer();
  proto->set_name(name);
  Fill(tensor, *proto);
  return *this;
}

ModelBuilder& ModelBuilder::Weight(const std::string& name, const BoolTensor& tensor) {
  TensorProto* proto = model_->mutable_graph()->add_initializer();
  proto->set_name(name);
  Fill(tensor, *proto);
  return *this;
}

ModelBuilder& ModelBuilder::Node(const std::string& op, const std::vector<std::string>& inputs,
                                 const std::vector<std::string>& outputs, const std::vector<Attr>& attributes,
                                 const std::string& name) {
  ::onnx::NodeProto* node = model_->mutable_graph()->add_node();
  node->set_op_type(op);
  node->set_name(name);
  for (const std::string& input : inputs) node->add_input(input);
  for (const std::string& output : outputs) node->add_output(output);
  for (const Attr& attribute : attributes) {
    AttributeProto* proto = node->add_attribute();
    proto->set_name(attribute.name);
    std::visit(AttributeFiller{*proto}, attribute.value);
  }
  return *this;
}

ModelBuilder& ModelBuilder::Output(const std::string& name) {
  model_->mutable_graph()->add_output()->set_name(name);
  return *this;
}

std::string ModelBuilder::Bytes() const { return model_->SerializeAsString(); }

absl::StatusOr<graph::Graph> ModelBuilder::Import() const { return ImportBytes(Bytes(), /*data_folder=*/""); }

FloatTensor Iota(const std::vector<int64_t>& dims) {
  FloatTensor tensor{dims, {}};
  tensor.values.resize(
      static_cast<size_t>(std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<int64_t>())));
  std::iota(tensor.values.begin(), tensor.values.end(), 0.0F);
  return tensor;
}

absl::StatusOr<graph::Graph> ImportOneNode(
    int64_t opset, const std::string& op,
    const std::vector<std::variant<FloatTensor, Int64Tensor, BoolTensor>>& weights,
    const std::vector<Attr>& attributes) {
  ModelBuilder model(opset);
  std::vector<std::string> inputs = {"x"};
  for (const auto& weight : weights) {
    inputs.push_back(absl::StrCat("w", inputs.size() - 1));
    std::visit([&](const auto& tensor) { model.Weight(inputs.back(), tensor); }, weight);
  }
  return model.Input("x", {0, 3, 8}).Node(op, inputs, {"y"}, attributes, "the_node").Output("y").Import();
}

std::vector<int64_t> Int64Input(const absl::StatusOr<graph::Graph>& graph, size_t index) {
  const graph::Node& node = graph->nodes().back();
  if (index >= node.inputs.size() || node.inputs[index] == graph::kNoValue) return {};
  const auto values = graph->value(node.inputs[index]).constant->values<int64_t>();
  return {values.begin(), values.end()};
}

}  // namespace stillwave::onnx_import::testing
