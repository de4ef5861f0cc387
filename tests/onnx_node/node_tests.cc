#include "tests/onnx_node/node_tests.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "onnx/onnx_pb.h"
#include "server/base/status_macros.h"
#include "tests/support/tensor_proto.h"
#include "tests/support/test_models.h"

namespace stillwave::onnx_node {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot open ", path));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void AddTestsIn(const std::string& folder, const std::string& prefix, std::vector<NodeTest>& tests) {
  if (!fs::is_directory(folder)) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (!fs::exists(entry.path() / "model.onnx")) continue;
    tests.push_back({absl::StrCat(prefix, entry.path().filename().string()), entry.path().string()});
  }
}

// The parts of a model that shape inference reads from floating-point inputs, by operator and position.
bool IsReadByPlanning(const ::onnx::GraphProto& graph, const std::string& input) {
  for (const auto& node : graph.node()) {
    for (int i = 0; i < node.input_size(); ++i) {
      if (node.input(i) != input) continue;
      if (node.op_type() == "Resize" && i > 0) return true;                    // roi and scales
      if (node.op_type() == "Upsample" && i > 0) return true;                  // scales
      if (node.op_type() == "Range" || node.op_type() == "Loop") return true;  // how many elements, how often
    }
  }
  return false;
}

}  // namespace

std::vector<NodeTest> AllNodeTests() {
  std::vector<NodeTest> tests;
  const std::string shared = test_support::SharedDir();
  if (shared.empty()) return tests;
  const std::string root = shared + "/onnx_node_tests";
  AddTestsIn(root, "", tests);
  for (const std::string part : {"extra_opset18plus/", "extra_pytorch_converted/"}) {
    AddTestsIn(absl::StrCat(root, "/", part), part, tests);
  }
  std::sort(tests.begin(), tests.end(), [](const NodeTest& a, const NodeTest& b) { return a.name < b.name; });
  return tests;
}

absl::StatusOr<NodeTestData> LoadNodeTest(const NodeTest& test) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(test.folder + "/model.onnx"));
  ::onnx::ModelProto model;
  if (!model.ParseFromString(bytes)) return absl::InvalidArgumentError("model.onnx is not a model");
  ::onnx::GraphProto& graph = *model.mutable_graph();
  std::set<std::string> weights;
  for (const auto& initializer : graph.initializer()) weights.insert(initializer.name());
  NodeTestData data;
  int number = 0;
  for (const auto& input : graph.input()) {
    if (weights.count(input.name()) > 0) continue;
    const std::string path = absl::StrCat(test.folder, "/test_data_set_0/input_", number++, ".pb");
    ASSIGN_OR_RETURN(const std::string values, ReadFile(path));
    ASSIGN_OR_RETURN(const test_support::NamedTensor tensor, test_support::ParseTensorProto(values));
    if (test_support::IsReal(tensor.tensor.data_type()) && !IsReadByPlanning(graph, input.name())) {
      data.inputs.push_back(test_support::ToRefTensor(tensor.tensor.view()));
      continue;
    }
    ::onnx::TensorProto& bound = *graph.add_initializer();
    if (!bound.ParseFromString(values)) return absl::InvalidArgumentError(absl::StrCat(path, " is not a tensor"));
    bound.set_name(input.name());
  }
  for (int i = 0; i < graph.output_size(); ++i) {
    ASSIGN_OR_RETURN(const test_support::NamedTensor tensor,
                     test_support::ReadTensorFile(absl::StrCat(test.folder, "/test_data_set_0/output_", i, ".pb")));
    data.outputs.push_back(test_support::ToRefTensor(tensor.tensor.view()));
  }
  data.model = model.SerializeAsString();
  return data;
}

std::string TestSuffix(const ::testing::TestParamInfo<NodeTest>& info) {
  return absl::StrReplaceAll(info.param.name, {{"/", "_"}});
}

void PrintTo(const NodeTest& test, std::ostream* out) { *out << test.name; }

}  // namespace stillwave::onnx_node
