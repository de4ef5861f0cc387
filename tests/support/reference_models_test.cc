// The interpreter against PyTorch's float64 answers and against the ONNX project's operator tests: what makes it fit
// to be the judge of the server's engine.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "server/graph/graph_text.h"
#include "server/onnx/onnx_importer.h"
#include "tests/support/magnitude.h"
#include "tests/support/reference_interpreter.h"
#include "tests/support/test_models.h"

namespace stillwave::test_support {
namespace {

namespace fs = std::filesystem;

std::vector<TestModel> AllModels() {
  const std::vector<TestModel> shared = SharedModels();
  return shared.empty() ? SmallModels() : shared;
}

// The inputs of a case in the graph's order: by name, else by position.
std::vector<RefTensor> InGraphOrder(const graph::Graph& graph, const std::vector<NamedTensor>& tensors) {
  std::vector<RefTensor> inputs;
  for (size_t i = 0; i < graph.inputs().size() && i < tensors.size(); ++i) {
    const std::string& name = graph.value(graph.inputs()[i]).name;
    const auto named = std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.name == name; });
    inputs.push_back(ToRefTensor((named != tensors.end() ? *named : tensors[i]).tensor.view()));
  }
  return inputs;
}

class ReferenceModelTest : public ::testing::TestWithParam<TestModel> {};

// The largest difference from PyTorch's float64 answer, as a part of the largest output. Two double computations of
// the same network agree to rounding; where the exporter folded BatchNormalization its float32 weights are not the
// network's, and an epsilon beside a variance of 0 shows that the file holds it as float32.
double RelativeBound(const std::string& name) {
  const bool folded =
      name == "seed_block_eval_folded" || name == "seed_block_dynamo_folded" || name == "seed_block_keras_style";
  if (folded) return 5e-7;
  // act_zoo's alphas and its √2 stand in the file as float32.
  return name == "bn_extremes" || name == "act_zoo" ? 1e-7 : 1e-10;
}

TEST_P(ReferenceModelTest, AgreesWithPyTorchInDouble) {
  const absl::StatusOr<graph::Graph> graph = onnx_import::ImportFile(GetParam().model_file);
  ASSERT_TRUE(graph.ok()) << graph.status();
  const auto cases = LoadCases(GetParam());
  ASSERT_TRUE(cases.ok()) << cases.status();
  for (const ModelCase& one : *cases) {
    const auto outputs = Interpret(*graph, InGraphOrder(*graph, one.inputs));
    ASSERT_TRUE(outputs.ok()) << one.name << ": " << outputs.status();
    ASSERT_EQ(outputs->size(), one.exact.size());
    for (size_t j = 0; j < outputs->size(); ++j) {
      RefTensor want = ToRefTensor(one.exact[j].tensor.view());
      want.data_type = (*outputs)[j].data_type;
      const double scale = LargestMagnitude(want);
      EXPECT_EQ(Difference((*outputs)[j], want, RelativeBound(GetParam().name) * scale, 0), "") << one.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ReferenceModelTest, ::testing::ValuesIn(AllModels()), TestSuffix);

// One folder of operator tests: how many ran, which were skipped and why, which failed.
struct Tally {
  int passed = 0;
  std::vector<std::string> skipped;
  std::vector<std::string> failed;
};

// input_I.pb or output_J.pb for I from 0; a missing file in between is an optional input that is left out.
std::vector<NamedTensor> ReadSet(const std::string& prefix) {
  std::vector<NamedTensor> tensors;
  for (int i = 0; i < 16; ++i) {
    auto tensor = ReadTensorFile(prefix + std::to_string(i) + ".pb");
    if (tensor.ok()) tensors.push_back(*std::move(tensor));
  }
  return tensors;
}

void RunNodeTest(const std::string& folder, Tally& tally) {
  const std::string name = fs::path(folder).filename().string();
  const absl::StatusOr<graph::Graph> graph = onnx_import::ImportFile(folder + "/model.onnx");
  if (!graph.ok()) {
    tally.skipped.push_back(name + ": " + std::string(graph.status().message()));
    return;
  }
  const auto outputs = Interpret(*graph, InGraphOrder(*graph, ReadSet(folder + "/test_data_set_0/input_")));
  const std::vector<NamedTensor> want = ReadSet(folder + "/test_data_set_0/output_");
  if (!outputs.ok() || outputs->size() != want.size()) {
    tally.failed.push_back(name + ": " + outputs.status().ToString() + "\n" + graph::ToText(*graph));
    return;
  }
  for (size_t j = 0; j < want.size(); ++j) {
    const std::string difference = Difference((*outputs)[j], ToRefTensor(want[j].tensor.view()), 1e-5, 1e-3);
    if (!difference.empty()) {
      tally.failed.push_back(name + ": " + difference + "\n" + graph::ToText(*graph));
      return;
    }
  }
  ++tally.passed;
}

struct NodeTestFolder {
  std::string path;  // below onnx_node_tests
  std::string name;
  int at_least;  // so many operators are imported and agree; more as the importer learns
};

void PrintTo(const NodeTestFolder& folder, std::ostream* out) { *out << folder.name; }

class OnnxNodeTest : public ::testing::TestWithParam<NodeTestFolder> {};

TEST_P(OnnxNodeTest, EveryOperatorThatTheImporterTakesAgreesWithOnnx) {
  if (SharedDir().empty()) GTEST_SKIP() << "no folder `shared` beside the repository";
  Tally tally;
  std::vector<std::string> folders;
  for (const auto& entry : fs::directory_iterator(SharedDir() + "/onnx_node_tests" + GetParam().path)) {
    if (fs::exists(entry.path() / "model.onnx")) folders.push_back(entry.path().string());
  }
  std::sort(folders.begin(), folders.end());
  for (const std::string& folder : folders) RunNodeTest(folder, tally);
  std::cout << tally.passed << " agree, " << tally.skipped.size() << " are not imported, " << tally.failed.size()
            << " differ\n";
  for (const std::string& failure : tally.failed) ADD_FAILURE() << failure;
  EXPECT_GE(tally.passed, GetParam().at_least) << "not imported:\n" << absl::StrJoin(tally.skipped, "\n");
}

INSTANTIATE_TEST_SUITE_P(Folders, OnnxNodeTest,
                         ::testing::Values(NodeTestFolder{"", "opset17", 150},
                                           NodeTestFolder{"/extra_opset18plus", "opset18plus", 70},
                                           NodeTestFolder{"/extra_pytorch_converted", "pytorch", 1}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace stillwave::test_support
