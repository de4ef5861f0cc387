#include "server/passes/eliminate_dead_nodes.h"

#include "gtest/gtest.h"
#include "tests/support/graph_properties.h"
#include "tests/support/network_builder.h"
#include "tests/support/status_matchers.h"

namespace stillwave::passes {
namespace {

using test_support::IsOk;
using test_support::NetworkBuilder;

TEST(EliminateDeadNodesTest, RemovesWholeBranchesThatNoOutputDependsOn) {
  NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {2, 3});
  const graph::ValueId dead = build.Relu(x);
  build.Add(dead, x);
  build.Output(build.Add(x, x));
  graph::Graph graph = build.graph();
  const auto changed = EliminateDeadNodes(graph);
  ASSERT_THAT(changed, IsOk());
  EXPECT_TRUE(*changed);
  ASSERT_EQ(graph.nodes().size(), 1U);
  EXPECT_EQ(graph.nodes()[0].name, "Add_2");
}

TEST(EliminateDeadNodesTest, KeepsWhatAnOutputInTheMiddleNeeds) {
  NetworkBuilder build(1);
  const graph::ValueId h = build.Relu(build.Input("x", {2, 3}));
  build.Output(build.Relu(h));
  build.Output(h);
  graph::Graph graph = build.graph();
  const auto changed = EliminateDeadNodes(graph);
  ASSERT_THAT(changed, IsOk());
  EXPECT_FALSE(*changed);
  EXPECT_EQ(graph.nodes().size(), 2U);
}

TEST(EliminateDeadNodesTest, LetsGoOfConstantsThatNobodyReads) {
  NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {2, 3});
  const graph::ValueId unread = build.RandomConstant({64}, 1);
  const graph::ValueId read = build.RandomConstant({3}, 1);
  const graph::ValueId dead = build.RandomConstant({3}, 1);
  build.Add(x, dead);
  build.Output(build.Add(x, read));
  graph::Graph graph = build.graph();
  ASSERT_THAT(EliminateDeadNodes(graph), IsOk());
  EXPECT_EQ(graph.value(unread).constant, nullptr);
  EXPECT_EQ(graph.value(dead).constant, nullptr);
  EXPECT_NE(graph.value(read).constant, nullptr);
}

TEST(EliminateDeadNodesTest, LeavesTheOutputsOfRandomNetworksUnchanged) {
  const auto counts = test_support::ExpectOutputsUnchanged(EliminateDeadNodes, 150, 0);
  EXPECT_EQ(counts.networks, 150);
  EXPECT_GT(counts.changed, 30);
}

}  // namespace
}  // namespace stillwave::passes
