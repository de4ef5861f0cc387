#include "server/graph/graph.h"

#include <numeric>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/network_builder.h"

namespace stillwave::graph {
namespace {

using test_support::NetworkBuilder;
using ::testing::ElementsAre;

TEST(GraphTest, CountsReadersByNodesAndByOutputs) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {1, 2});
  const ValueId sum = build.Add(x, x);
  const ValueId y = build.Relu(sum);
  build.Output(y);
  build.Output(sum);
  EXPECT_THAT(build.graph().UseCounts(), ElementsAre(2, 2, 1));
  EXPECT_THAT(build.graph().Producers(), ElementsAre(-1, 0, 1));
}

TEST(GraphTest, GivesConstantsTheirTypeAndShape) {
  Graph graph;
  const ValueId id = graph.AddConstant("w", tensor::Tensor::FromValues<int64_t>({2, 1}, {1, 2}));
  EXPECT_EQ(graph.value(id).data_type, tensor::DataType::kInt64);
  EXPECT_EQ(graph.value(id).shape, tensor::Shape({2, 1}));
  EXPECT_NE(graph.value(id).constant, nullptr);
}

TEST(GraphTest, ReplacesUsesThroughAChainInNodesAndOutputs) {
  NetworkBuilder build(1);
  const ValueId x = build.Input("x", {1, 2});
  const ValueId a = build.Node(Identity{}, {x});
  const ValueId b = build.Node(Identity{}, {a});
  build.Relu(b);
  build.Output(b);
  Graph graph = build.graph();
  std::vector<ValueId> replacement(graph.values().size());
  std::iota(replacement.begin(), replacement.end(), 0);
  replacement[static_cast<size_t>(a)] = x;
  replacement[static_cast<size_t>(b)] = a;
  graph.ReplaceUses(replacement);
  EXPECT_THAT(graph.nodes()[2].inputs, ElementsAre(x));
  EXPECT_THAT(graph.outputs(), ElementsAre(x));
}

TEST(GraphTest, SharesConstantsBetweenCopies) {
  Graph graph;
  const ValueId id = graph.AddConstant("w", tensor::Tensor::FromValues<float>({1}, {1}));
  const Graph copy = graph;
  EXPECT_EQ(copy.value(id).constant, graph.value(id).constant);
}

TEST(GraphDeathTest, EndsTheProcessOnIdsThatDoNotExist) {
  Graph graph;
  EXPECT_DEATH(graph.AddOutput(0), "broken invariant");
  EXPECT_DEATH(graph.AddNode({"n", Identity{}, {3}, {}}), "broken invariant");
}

}  // namespace
}  // namespace stillwave::graph
