#include "tests/support/random_graph.h"

#include <cmath>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "server/graph/graph_text.h"
#include "server/graph/graph_verifier.h"
#include "tests/support/reference_interpreter.h"

namespace stillwave::test_support {
namespace {

TEST(RandomNetworkTest, IsValidAndComputesFiniteOutputsForEverySeed) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const RandomNetwork network = MakeRandomNetwork(seed);
    ASSERT_TRUE(graph::VerifyGraph(network.graph).ok()) << graph::ToText(network.graph);
    const auto outputs = Interpret(network.graph, {RandomBatch(network, 2, seed)});
    ASSERT_TRUE(outputs.ok()) << outputs.status() << "\n" << graph::ToText(network.graph);
    for (const RefTensor& output : *outputs) {
      EXPECT_EQ(output.shape[0], 2) << graph::ToText(network.graph);
      EXPECT_EQ(Difference(output, output, 0, 0), "");
      for (const double value : output.reals) ASSERT_TRUE(std::isfinite(value)) << graph::ToText(network.graph);
    }
  }
}

TEST(RandomNetworkTest, IsTheSameForTheSameSeedAndAnotherForAnother) {
  EXPECT_EQ(graph::ToText(MakeRandomNetwork(7).graph), graph::ToText(MakeRandomNetwork(7).graph));
  EXPECT_NE(graph::ToText(MakeRandomNetwork(7).graph), graph::ToText(MakeRandomNetwork(8).graph));
}

TEST(RandomNetworkTest, MeetsEveryOperatorOfAConvolutionalNetworkWithinAHundredSeeds) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const RandomNetwork network = MakeRandomNetwork(seed);
    for (const graph::Node& node : network.graph.nodes()) {
      seen.insert(std::string(graph::OpName(node.op)));
    }
  }
  for (const char* name :
       {"Conv", "BatchNormalization", "Relu", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "Gemm",
        "Add", "Mul", "Concat", "Dropout", "Identity", "Flatten", "Reshape", "Softmax", "LogSoftmax", "Sigmoid"}) {
    EXPECT_EQ(seen.count(name), 1U) << name;
  }
}

}  // namespace
}  // namespace stillwave::test_support
