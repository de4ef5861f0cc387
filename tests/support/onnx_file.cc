#include "tests/support/onnx_file.h"

#include <fstream>

#include "tests/support/temp_path.h"

namespace stillwave::test_support {
namespace {

// Field numbers are those of onnx.proto.
std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

std::string IntField(uint64_t field, int64_t value) {
  return Varint(field << 3) + Varint(static_cast<uint64_t>(value));
}

std::string BytesField(uint64_t field, const std::string& bytes) {
  return Varint(field << 3 | 2) + Varint(bytes.size()) + bytes;
}

// TensorProto: dims 1, data_type 2, name 8, raw_data 9.
template <typename T>
std::string TensorProto(const std::string& name, int64_t type, const std::vector<int64_t>& dims,
                        const std::vector<T>& values) {
  std::string tensor;
  for (const int64_t dim : dims) tensor += IntField(1, dim);
  const std::string raw(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  return tensor + IntField(2, type) + BytesField(8, name) + BytesField(9, raw);
}

constexpr int64_t kFloat = 1;
constexpr int64_t kInt64 = 7;

// ValueInfoProto: name 1, type 2. TypeProto: tensor_type 1. Tensor: elem_type 1, shape 2. Shape: dim 1.
// Dimension: dim_value 1, dim_param 2.
std::string ValueInfo(const std::string& name, const std::vector<int64_t>& dims) {
  std::string shape;
  for (const int64_t dim : dims) shape += BytesField(1, dim < 0 ? BytesField(2, "D") : IntField(1, dim));
  const std::string type = BytesField(1, IntField(1, kFloat) + BytesField(2, shape));
  return BytesField(1, name) + BytesField(2, type);
}

}  // namespace

// GraphProto: node 1, name 2, initializer 5, input 11, output 12.
OnnxFile& OnnxFile::Input(const std::string& name, const std::vector<int64_t>& dims) {
  graph_ += BytesField(11, ValueInfo(name, dims));
  return *this;
}

OnnxFile& OnnxFile::Output(const std::string& name) {
  graph_ += BytesField(12, BytesField(1, name));
  return *this;
}

OnnxFile& OnnxFile::Weight(const std::string& name, const std::vector<int64_t>& dims,
                           const std::vector<float>& values) {
  graph_ += BytesField(5, TensorProto(name, kFloat, dims, values));
  return *this;
}

OnnxFile& OnnxFile::EmptyInitializers(int count) {
  for (int i = 0; i < count; ++i) graph_ += BytesField(5, "");
  return *this;
}

OnnxFile& OnnxFile::Integers(const std::string& name, const std::vector<int64_t>& values) {
  graph_ += BytesField(5, TensorProto(name, kInt64, {static_cast<int64_t>(values.size())}, values));
  return *this;
}

// NodeProto: input 1, output 2, name 3, op_type 4, attribute 5. AttributeProto: name 1, i 3, ints 8, type 20.
OnnxFile& OnnxFile::Node(const std::string& op, const std::vector<std::string>& inputs, const std::string& output,
                         const std::vector<std::pair<std::string, std::vector<int64_t>>>& int_lists,
                         const std::vector<std::pair<std::string, int64_t>>& ints, const std::string& name) {
  std::string node;
  for (const std::string& input : inputs) node += BytesField(1, input);
  node += BytesField(2, output) + BytesField(3, name.empty() ? output : name) + BytesField(4, op);
  for (const auto& [attribute, values] : int_lists) {
    std::string bytes = BytesField(1, attribute);
    for (const int64_t value : values) bytes += IntField(8, value);
    node += BytesField(5, bytes + IntField(20, 7));
  }
  for (const auto& [attribute, value] : ints) {
    node += BytesField(5, BytesField(1, attribute) + IntField(3, value) + IntField(20, 2));
  }
  graph_ += BytesField(1, node);
  return *this;
}

// ModelProto: ir_version 1, graph 7, opset_import 8. OperatorSetIdProto: version 2.
std::string OnnxFile::Bytes() const {
  return IntField(1, 8) + BytesField(7, graph_) + BytesField(8, IntField(2, opset_));
}

std::string OnnxFile::Write(const std::string& name) const {
  std::string path = TempPath(name);
  std::ofstream(path, std::ios::binary) << Bytes();
  return path;
}

}  // namespace stillwave::test_support
