#include "server/passes/eliminate_dropout.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/graph_properties.h"
#include "tests/support/network_builder.h"
#include "tests/support/status_matchers.h"

namespace stillwave::passes {
namespace {

using test_support::CountNodes;
using test_support::IsOk;
using test_support::NetworkBuilder;
using ::testing::ElementsAre;

TEST(EliminateDropoutTest, LetsReadersReadTheInputThroughAChain) {
  NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {2, 3});
  const graph::ValueId first = build.Node(graph::Dropout{}, {x});
  const graph::ValueId second = build.Node(graph::Dropout{}, {first});
  const graph::ValueId y = build.Add(first, second);
  build.Output(y);
  graph::Graph graph = build.graph();
  const auto changed = EliminateDropout(graph);
  ASSERT_THAT(changed, IsOk());
  EXPECT_TRUE(*changed);
  ASSERT_EQ(graph.nodes().size(), 1U);
  EXPECT_THAT(graph.nodes()[0].inputs, ElementsAre(x, x));
  EXPECT_THAT(graph.outputs(), ElementsAre(y));
}

TEST(EliminateDropoutTest, RedirectsAGraphOutput) {
  NetworkBuilder build(1);
  const graph::ValueId x = build.Input("x", {2, 3});
  const graph::ValueId h = build.Relu(x);
  build.Output(build.Node(graph::Dropout{}, {h}));
  graph::Graph graph = build.graph();
  ASSERT_THAT(EliminateDropout(graph), IsOk());
  EXPECT_THAT(graph.outputs(), ElementsAre(h));
  EXPECT_EQ(CountNodes(graph, "Dropout"), 0);
}

TEST(EliminateDropoutTest, SaysThatItChangedNothingWhenThereIsNone) {
  NetworkBuilder build(1);
  build.Output(build.Relu(build.Input("x", {2, 3})));
  graph::Graph graph = build.graph();
  const auto changed = EliminateDropout(graph);
  ASSERT_THAT(changed, IsOk());
  EXPECT_FALSE(*changed);
  EXPECT_EQ(graph.nodes().size(), 1U);
}

TEST(EliminateDropoutTest, LeavesTheOutputsOfRandomNetworksUnchanged) {
  const auto counts = test_support::ExpectOutputsUnchanged(EliminateDropout, 150, 0);
  EXPECT_EQ(counts.networks, 150);
  EXPECT_GT(counts.changed, 30);
}

}  // namespace
}  // namespace stillwave::passes
