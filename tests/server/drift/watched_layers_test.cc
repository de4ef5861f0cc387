#include "server/drift/watched_layers.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/graph/graph_verifier.h"
#include "server/onnx/onnx_importer.h"
#include "server/passes/pass_pipeline.h"
#include "tests/support/network_builder.h"
#include "tests/support/onnx_file.h"
#include "tests/support/reference_interpreter.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_models.h"

namespace stillwave::drift {
namespace {

using graph::ValueId;
using test_support::Interpret;
using test_support::IsOk;
using test_support::NetworkBuilder;
using test_support::RefTensor;
using test_support::UniformWindow;
using ::testing::ElementsAre;

std::vector<std::string> Names(const ObservedNetwork& observed) {
  std::vector<std::string> names;
  for (const WatchedLayer& layer : observed.layers) names.push_back(layer.name);
  return names;
}

// Two blocks and a normalization after a linear layer.
graph::Graph SmallNetwork() {
  NetworkBuilder network(1);
  ValueId x = network.Input("x", {-1, 2, 16});
  x = network.Relu(network.BatchNorm(network.Conv(x, 2, 4, UniformWindow(1, 3)), 4));
  x = network.Relu(network.BatchNorm(network.Conv(x, 4, 3, UniformWindow(1, 3)), 3));
  x = network.Node(graph::GlobalPool{}, {x});
  x = network.Node(graph::Flatten{}, {x});
  x = network.BatchNorm(network.Linear(x, 3, 5), 5);
  network.Output(network.Linear(x, 5, 2));
  return network.graph();
}

// What the normalization of that number reads in `graph`, by the reference interpreter.
RefTensor InputOfNormalization(graph::Graph graph, size_t number, const RefTensor& x) {
  std::vector<ValueId> inputs;
  for (const graph::Node& node : graph.nodes()) {
    if (std::holds_alternative<graph::BatchNormalization>(node.op)) inputs.push_back(node.inputs[0]);
  }
  graph.mutable_outputs() = {inputs[number]};
  auto outputs = Interpret(graph, {x});
  EXPECT_THAT(outputs, IsOk());
  return outputs.ok() ? (*outputs)[0] : RefTensor();
}

TEST(WatchedLayersTest, TheOutputsAreWhatTheLayersOfTheServedNetworkRead) {
  const graph::Graph whole = SmallNetwork();
  graph::Graph optimized = whole;
  ASSERT_THAT(passes::OptimizeGraph(optimized, {}), IsOk());
  const ObservedNetwork observed = ObserveBatchNorm(optimized);
  ASSERT_THAT(graph::VerifyGraph(observed.graph), IsOk());
  ASSERT_EQ(observed.layers.size(), 3u);
  const RefTensor x = test_support::RandomTensor({2, 2, 16}, 5);
  const auto outputs = Interpret(observed.graph, {x});
  ASSERT_THAT(outputs, IsOk());
  for (size_t i = 0; i < observed.layers.size(); ++i) {
    const RefTensor& got = (*outputs)[observed.layers[i].output];
    EXPECT_EQ(test_support::Difference(got, InputOfNormalization(whole, i, x), 1e-9, 1e-9), "") << "layer " << i;
  }
}

TEST(WatchedLayersTest, NothingBehindTheLastLayerIsRun) {
  const ObservedNetwork observed = ObserveBatchNorm(SmallNetwork());
  int norms = 0;
  int linear = 0;
  for (const graph::Node& node : observed.graph.nodes()) {
    norms += std::holds_alternative<graph::BatchNormalization>(node.op);
    linear += std::holds_alternative<graph::Gemm>(node.op);
  }
  EXPECT_EQ(norms, 2);
  EXPECT_EQ(linear, 1);
}

TEST(WatchedLayersTest, StoredStatisticsAreThoseOfTheFile) {
  const graph::Graph network = SmallNetwork();
  const ObservedNetwork observed = ObserveBatchNorm(network);
  size_t i = 0;
  for (const graph::Node& node : network.nodes()) {
    const auto* norm = std::get_if<graph::BatchNormalization>(&node.op);
    if (norm == nullptr) continue;
    const auto mean = network.value(node.inputs[3]).constant->values<float>();
    const auto variance = network.value(node.inputs[4]).constant->values<float>();
    const StoredStatistics& stored = observed.layers[i++].stored;
    EXPECT_EQ(stored.mean, std::vector<double>(mean.begin(), mean.end()));
    EXPECT_EQ(stored.variance, std::vector<double>(variance.begin(), variance.end()));
    EXPECT_EQ(stored.epsilon, static_cast<double>(norm->epsilon));
  }
  EXPECT_EQ(i, observed.layers.size());
}

TEST(WatchedLayersTest, TwoLayersMayReadOneValueAndALayerTheInputItself) {
  NetworkBuilder network(2);
  const ValueId x = network.Input("x", {-1, 3, 8});
  const ValueId a = network.BatchNorm(x, 3);
  const ValueId b = network.BatchNorm(x, 3);
  network.Output(network.Add(a, b));
  const ObservedNetwork observed = ObserveBatchNorm(network.graph());
  ASSERT_EQ(observed.layers.size(), 2u);
  EXPECT_EQ(observed.layers[0].output, observed.layers[1].output);
  EXPECT_THAT(observed.graph.outputs(), ElementsAre(x));
  EXPECT_TRUE(observed.graph.nodes().empty());
}

TEST(WatchedLayersTest, ANetworkWithoutThemHasNothingToWatch) {
  NetworkBuilder network(3);
  network.Output(network.Relu(network.Input("x", {-1, 3, 8})));
  const ObservedNetwork observed = ObserveBatchNorm(network.graph());
  EXPECT_TRUE(observed.layers.empty());
  EXPECT_TRUE(observed.graph.nodes().empty());
}

test_support::OnnxFile FileWithLayers(const std::vector<std::string>& node_names) {
  test_support::OnnxFile file;
  file.Input("x", {-1, 1, 4});
  std::string from = "x";
  for (size_t i = 0; i < node_names.size(); ++i) {
    const std::string norm = absl::StrCat("blocks.", i, ".norm");
    for (const char* parameter : {".weight", ".bias", ".running_mean", ".running_var"}) {
      file.Weight(absl::StrCat(norm, parameter), {1}, {1});
    }
    const std::string to = absl::StrCat("value_", i);
    file.Node("BatchNormalization",
              {from, absl::StrCat(norm, ".weight"), absl::StrCat(norm, ".bias"), absl::StrCat(norm, ".running_mean"),
               absl::StrCat(norm, ".running_var")},
              to, {}, {}, node_names[i]);
    from = to;
  }
  file.Output(from);
  return file;
}

TEST(WatchedLayersTest, ALayerIsCalledAsItsNodeOrElseAsItsScale) {
  const auto imported = onnx_import::ImportBytes(FileWithLayers({"/norm/BatchNormalization", "", ""}).Bytes(), "");
  ASSERT_THAT(imported, IsOk());
  EXPECT_THAT(Names(ObserveBatchNorm(*imported)),
              ElementsAre("/norm/BatchNormalization", "blocks.1.norm", "blocks.2.norm"));
}

TEST(WatchedLayersTest, NamesAreUnique) {
  const auto imported = onnx_import::ImportBytes(FileWithLayers({"blocks.1.norm", "", "blocks.1.norm"}).Bytes(), "");
  ASSERT_THAT(imported, IsOk());
  std::vector<std::string> names = Names(ObserveBatchNorm(*imported));
  ASSERT_EQ(names.size(), 3u);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 3u) << absl::StrJoin(names, ", ");
}

}  // namespace
}  // namespace stillwave::drift
