// Small ONNX models, written by hand in a few lines.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "server/graph/graph.h"
#include "server/onnx/onnx_fwd.h"

namespace stillwave::onnx_import::testing {

// A constant for an attribute or an initializer.
struct FloatTensor {
  std::vector<int64_t> dims;
  std::vector<float> values;
};
struct Int64Tensor {
  std::vector<int64_t> dims;
  std::vector<int64_t> values;
};
struct BoolTensor {
  std::vector<int64_t> dims;
  std::vector<int32_t> values;
};

struct Attr {
  std::string name;
  std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>, FloatTensor, Int64Tensor,
               BoolTensor>
      value;
};

// Fluent; each call appends. proto() is for what has no call here.
class ModelBuilder {
 public:
  explicit ModelBuilder(int64_t opset = 17);
  ~ModelBuilder();
  ModelBuilder(const ModelBuilder&) = delete;
  ModelBuilder& operator=(const ModelBuilder&) = delete;

  ModelBuilder& Input(const std::string& name, const std::vector<int64_t>& dims);  // float
  ModelBuilder& Weight(const std::string& name, const FloatTensor& tensor);
  ModelBuilder& Weight(const std::string& name, const Int64Tensor& tensor);
  ModelBuilder& Weight(const std::string& name, const BoolTensor& tensor);
  ModelBuilder& Node(const std::string& op, const std::vector<std::string>& inputs,
                     const std::vector<std::string>& outputs, const std::vector<Attr>& attributes = {},
                     const std::string& name = "");
  ModelBuilder& Output(const std::string& name);

  ::onnx::ModelProto& proto() { return *model_; }
  std::string Bytes() const;
  absl::StatusOr<graph::Graph> Import() const;

 private:
  std::unique_ptr<::onnx::ModelProto> model_;
};

// `count` floats: 0, 1, 2, …
FloatTensor Iota(const std::vector<int64_t>& dims);

// A model of one node: input x {N, 3, 8}, output y, and the given weights w0, w1, … as further inputs.
absl::StatusOr<graph::Graph> ImportOneNode(
    int64_t opset, const std::string& op,
    const std::vector<std::variant<FloatTensor, Int64Tensor, BoolTensor>>& weights,
    const std::vector<Attr>& attributes);

// The attribute struct of the graph's last node. REQUIRES: graph is OK and the node has that operator.
template <typename OpType>
const OpType& LastOp(const absl::StatusOr<graph::Graph>& graph) {
  return std::get<OpType>(graph->nodes().back().op);
}

// The elements of the last node's input that is an int64 constant; empty when it is left out.
std::vector<int64_t> Int64Input(const absl::StatusOr<graph::Graph>& graph, size_t index);

}  // namespace stillwave::onnx_import::testing
